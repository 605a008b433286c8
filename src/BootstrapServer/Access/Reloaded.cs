using Microsoft.Extensions.Logging;

namespace PlatformOps.BootstrapServer.Access;

/// <summary>
/// A value made of files, made again when their contents change. Contents are compared rather than times: mounted secrets
/// change by swapping links. A version that cannot be used (half of a rotation) is reported once, and the one before it stays.
/// </summary>
internal sealed class Reloaded<T>(ILogger log, Func<IReadOnlyList<byte[]>, T> make, params string[] files)
    where T : class
{
    /// <summary>How old an answer may be: looking costs a read of small files.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private byte[][] seen = [.. files.Select(File.ReadAllBytes)];
    private volatile T? value;
    private long looked = TimeProvider.System.GetTimestamp();

    public T Current
    {
        get
        {
            if (value is { } current && TimeProvider.System.GetElapsedTime(Interlocked.Read(ref looked)) < Fresh)
                return current;
            lock (gate)
            {
                Look();
                return value!;
            }
        }
    }

    private void Look()
    {
        if (value is null)
        {
            value = make(seen);
            return;
        }
        if (TimeProvider.System.GetElapsedTime(looked) < Fresh)
            return;
        Interlocked.Exchange(ref looked, TimeProvider.System.GetTimestamp());
        try
        {
            byte[][] now = [.. files.Select(File.ReadAllBytes)];
            if (now.Zip(seen).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)))
                return;
            seen = now;
            value = make(now);
            log.LogInformation("{Files} changed and is in use", string.Join(", ", files));
        }
        catch (Exception e) when (AccessFiles.IsAboutTheFile(e))
        {
            log.LogWarning("{Files} cannot be used; what was read before stays in force: {Reason}", string.Join(", ", files), e.Message);
        }
    }
}

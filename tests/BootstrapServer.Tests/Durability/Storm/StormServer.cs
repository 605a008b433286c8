using PlatformOps.BootstrapServer.Tests.Hosting;

namespace PlatformOps.BootstrapServer.Tests.Durability.Storm;

/// <summary>A server that is killed again and again: at a random moment, or, where strace can be used, at a step of a commit.</summary>
internal sealed class StormServer(string file, Random random) : IDisposable
{
    /// <summary>Before a page is written to the log, before the log is synced, before an answer leaves.</summary>
    private static readonly string[] Steps = ["pwrite64", "fsync", "sendto,sendmsg"];

    /// <summary>The same after each kill, as its clients know it.</summary>
    private readonly int port = StablePort.Next();

    private ServerProcess? process;

    public string Address => process!.Address;

    public int Kills { get; private set; }

    public int KillsInCommits { get; private set; }

    private static bool HasStrace { get; } = File.Exists("/usr/bin/strace") || File.Exists("/bin/strace");

    public async Task StartAsync() => process = await ServerProcess.StartAsync(Arguments());

    public async Task KillAndStartAsync()
    {
        if (HasStrace && random.Next(3) == 0 && await DiesInCommitAsync())
        {
            KillsInCommits++;
        }
        else
        {
            // The moment is what is random here.
            await Task.Delay(random.Next(10, 1500));
            process!.Kill();
        }
        Kills++;
        process?.Dispose();
        process = await StartPatientlyAsync(() => ServerProcess.StartAsync(Arguments()));
    }

    public void Dispose() => process?.Dispose();

    /// <summary>Starts the server again so that one of its next commits kills it. False when it still lives after a while.</summary>
    private async Task<bool> DiesInCommitAsync()
    {
        process!.Dispose();
        process = null;
        var step = Steps[random.Next(Steps.Length)];
        string[] strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", $"trace={step}", "-e", $"inject={step}:signal=KILL:when={random.Next(1, 8)}"];
        try
        {
            process = await ServerProcess.StartUnderAsync(strace, Arguments());
        }
        catch (InvalidOperationException e)
        {
            // Silent, it died in a commit of its start; otherwise it cannot be traced here.
            if (e.Message.TrimEnd().EndsWith("did not start:", StringComparison.Ordinal))
                return true;
            process = await StartPatientlyAsync(() => ServerProcess.StartAsync(Arguments()));
            return false;
        }
        return process.Ended(TimeSpan.FromSeconds(5));
    }

    /// <summary>A port is free again a moment after its process died.</summary>
    private static async Task<ServerProcess> StartPatientlyAsync(Func<Task<ServerProcess>> start)
    {
        ServerProcess? started = null;
        await Wait.UntilAsync(async () =>
        {
            try
            {
                started = await start();
            }
            catch (InvalidOperationException e) when (e.Message.Contains("in use", StringComparison.Ordinal))
            {
                return false;
            }
            return true;
        });
        return started!;
    }

    private string[] Arguments() => ["server", "start-dev", "--port", $"{port}", "--namespace", "storm", "--db-filename", file];
}

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>An attempt to make a set that stands still in the middle, as one that was taken for dead, and goes on when it is told to.</summary>
internal sealed class LateAttempt : IDisposable
{
    private readonly TaskCompletionSource held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim released = new();

    /// <summary>Ends when it stands still.</summary>
    public Task Held => held.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

    /// <param name="attempt">Says how far it is.</param>
    /// <param name="at">It stands still when it says this first.</param>
    public Task<T> RunAsync<T>(Func<Action<string>, Task<T>> attempt, string at)
    {
        var ct = TestContext.Current.CancellationToken;
        return Task.Run(() => attempt(said =>
        {
            if (said.Contains(at, StringComparison.Ordinal) && held.TrySetResult())
                released.Wait(ct);
        }), ct);
    }

    public void GoOn() => released.Set();

    public void Dispose()
    {
        released.Set();
        released.Dispose();
    }
}

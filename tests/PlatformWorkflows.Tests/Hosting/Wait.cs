namespace PlatformOps.PlatformWorkflows.Tests.Hosting;

/// <summary>Waits for what a run reaches in its own time.</summary>
internal static class Wait
{
    /// <summary>Generous, because a machine may be busy; a test that waits so long has failed.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Asks again and again until the answer is as wanted.</summary>
    /// <param name="describe">What to say of the last answer when it never was.</param>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> wanted, Func<T, string> describe)
    {
        var deadline = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answer = await ask().WaitAsync(Patience);
            if (wanted(answer))
                return answer;
            if (TimeProvider.System.GetElapsedTime(deadline) > Patience)
                throw new TimeoutException($"Never came to be; at last: {describe(answer)}");
            await Task.Delay(20);
        }
    }
}

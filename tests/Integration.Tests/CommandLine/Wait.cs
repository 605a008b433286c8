using System.Diagnostics;

namespace PlatformOps.Integration.Tests.CommandLine;

/// <summary>Waits for what another process does.</summary>
internal static class Wait
{
    public static Task UntilAsync(Func<bool> holds, Func<string> otherwise, TimeSpan? atMost = null) => UntilAsync(() => Task.FromResult(holds()), otherwise, atMost);

    public static async Task UntilAsync(Func<Task<bool>> holds, Func<string> otherwise, TimeSpan? atMost = null)
    {
        var started = Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(started.Elapsed < (atMost ?? TimeSpan.FromMinutes(2)), $"Waited for {started.Elapsed}. {otherwise()}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}

using Temporalio.Testing;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>Starts the SDK's test environments on machines that are busy with other tests.</summary>
internal static class Harness
{
    private const int Attempts = 10;

    /// <summary>The SDK gives a server five seconds to start; a cold or busy machine may need more tries.</summary>
    public static async Task<WorkflowEnvironment> StartAsync(Func<Task<WorkflowEnvironment>> start)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await start();
            }
            catch (InvalidOperationException) when (attempt < Attempts)
            {
                // The next one finds the program in the page cache.
            }
        }
    }
}

using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Durability.Storm;

/// <summary>What a patient client does: until there is an answer nothing was promised, so it asks again.</summary>
internal static class PatientCalls
{
    public static async Task<T> AskAsync<T>(Func<Task<T>> call)
    {
        while (true)
        {
            try
            {
                return await call();
            }
            catch (Exception e) when (IsNoAnswer(e))
            {
                await Task.Delay(30);
            }
        }
    }

    public static Task AskAsync(Func<Task> call) => AskAsync(async () =>
    {
        await call();
        return true;
    });

    /// <summary>For calls that say "not found" when they are repeated after they had their effect.</summary>
    public static async Task UntilDoneAsync(Func<Task> call)
    {
        var repeated = false;
        await AskAsync(async () =>
        {
            try
            {
                await call();
            }
            catch (RpcException e) when (repeated && e.Code == RpcException.StatusCode.NotFound)
            {
                // The call before had its effect, and no answer.
            }
            catch (RpcException)
            {
                repeated = true;
                throw;
            }
        });
    }

    private static bool IsNoAnswer(Exception e) => e is WorkflowUpdateRpcTimeoutOrCanceledException
        || e is RpcException { Code: RpcException.StatusCode.Unavailable or RpcException.StatusCode.Unknown or RpcException.StatusCode.Cancelled or RpcException.StatusCode.DeadlineExceeded };
}

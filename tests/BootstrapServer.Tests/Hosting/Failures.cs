using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>What went wrong, as assertions want it.</summary>
internal static class Failures
{
    /// <summary>Why the workflow ended without a result.</summary>
    public static async Task<TFailure> OfAsync<TFailure>(WorkflowHandle handle)
        where TFailure : Exception
    {
        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => handle.GetResultAsync<object?>());
        return Assert.IsType<TFailure>(failed.InnerException, exactMatch: false);
    }

    public static async Task RefusedAsync(RpcException.StatusCode code, Func<Task> call) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(call)).Code);
}

using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Checks of the callbacks that a start brings, with the real server's limits. It may call any http or https address, as a dev server may.</summary>
internal static class CallbackChecks
{
    private const int Most = 32;
    private const int LongestUrl = 1000;
    private const int LargestHeader = 8 * 1024;

    public static void Check(StartWorkflowExecutionRequest request)
    {
        if (request.CompletionCallbacks.Count > Most)
            throw ServiceError.InvalidArgument($"cannot attach more than {Most} callbacks to a workflow");
        foreach (var callback in request.CompletionCallbacks)
            Check(callback);
        if (request.OnConflictOptions is { AttachCompletionCallbacks: true, AttachRequestId: false })
            throw ServiceError.InvalidArgument("attaching request ID is required for attaching completion callbacks");
    }

    private static void Check(Callback callback)
    {
        if (callback.Nexus is not { } nexus)
            throw ServiceError.Unimplemented($"A callback of kind {callback.VariantCase}");
        if (nexus.Url.Length > LongestUrl)
            throw ServiceError.InvalidArgument($"invalid url: url length longer than max length allowed of {LongestUrl}");
        if (!Uri.TryCreate(nexus.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            throw ServiceError.InvalidArgument($"invalid url: unknown scheme: {nexus.Url}");
        if (url.Host.Length == 0)
            throw ServiceError.InvalidArgument("invalid url: missing host");
        if (nexus.Header.Sum(h => h.Key.Length + h.Value.Length) > LargestHeader)
            throw ServiceError.InvalidArgument($"invalid header: header size longer than max allowed size of {LargestHeader}");
    }
}

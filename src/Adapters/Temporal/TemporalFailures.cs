using Temporalio.Exceptions;

namespace PlatformOps.Adapters.Temporal;

/// <summary>Says what a refusal of the Temporal frontend means, in words that name region, address and the next step.</summary>
internal static class TemporalFailures
{
    public static AdapterException Unreachable(TemporalCluster cluster, Exception failure) => new(
        AdapterFailureKind.Unavailable,
        $"{Name(cluster)} cannot be reached: {failure.Message.TrimEnd('.')}. Check that temporal-frontend runs there and that this machine reaches that address.", failure);

    public static AdapterException Of(TemporalCluster cluster, string what, RpcException failure)
    {
        var said = failure.Message.TrimEnd('.');
        var (kind, message) = failure.Code switch
        {
            RpcException.StatusCode.Unavailable or RpcException.StatusCode.DeadlineExceeded or RpcException.StatusCode.Cancelled => (AdapterFailureKind.Unavailable,
                $"{Name(cluster)} did not {what}: {said}. Check that temporal-frontend runs there and that this machine reaches that address."),
            RpcException.StatusCode.Unauthenticated => (AdapterFailureKind.Unauthorized,
                $"{Name(cluster)} does not know who we are: {said}. Renew the certificate or token for it, then retry."),
            RpcException.StatusCode.PermissionDenied => (AdapterFailureKind.Forbidden, $"{Name(cluster)} does not let us {what}: {said}. Grant it, then retry."),
            RpcException.StatusCode.ResourceExhausted => (AdapterFailureKind.Throttled, $"{Name(cluster)} asks us to slow down when asked to {what}: {said}."),
            RpcException.StatusCode.AlreadyExists or RpcException.StatusCode.NotFound or RpcException.StatusCode.Aborted => (AdapterFailureKind.Moved,
                $"{Name(cluster)} could not {what}, because it changed meanwhile: {said}."),
            RpcException.StatusCode.InvalidArgument or RpcException.StatusCode.FailedPrecondition or RpcException.StatusCode.OutOfRange => (AdapterFailureKind.Rejected,
                $"{Name(cluster)} refuses to {what}: {said}. Correct the specification or the catalog."),
            RpcException.StatusCode.Unimplemented => (AdapterFailureKind.NotServed, $"{Name(cluster)} cannot {what}: {said}. Upgrade it."),
            _ => (AdapterFailureKind.Unavailable, $"{Name(cluster)} is in trouble ({failure.Code}) when asked to {what}: {said}."),
        };
        return new(kind, message, failure);
    }

    private static string Name(TemporalCluster cluster) => $"The Temporal frontend of {cluster.Region} ({cluster.Address})";
}

using Temporalio.Api.Enums.V1;
using Temporalio.Api.OperatorService.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Adapters.Bootstrap;

/// <summary>The namespace of runbooks, with its search attributes.</summary>
internal sealed class BootstrapSpace(ITemporalClient client)
{
    private string Name => client.Options.Namespace;

    /// <returns>Null when there is none.</returns>
    public async Task<DescribeNamespaceResponse?> FindAsync(CancellationToken ct)
    {
        try
        {
            var found = await client.WorkflowService.DescribeNamespaceAsync(new() { Namespace = Name }, BootstrapCluster.Rpc(ct));
            return found.NamespaceInfo.State == NamespaceState.Deleted ? null : found;
        }
        catch (RpcException failure) when (failure.Code == RpcException.StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <returns>Type by name, in the order of names: the SDK gives them in another one each time, and what has not changed has to look so.</returns>
    public async Task<IReadOnlyDictionary<string, string>> AttributesAsync(CancellationToken ct) =>
        new SortedDictionary<string, string>((await ListAsync(ct)).ToDictionary(pair => pair.Key, pair => pair.Value.ToString()), StringComparer.Ordinal);

    public async Task PrepareAsync(BootstrapSpace source, CancellationToken ct)
    {
        if (await FindAsync(ct) is null)
        {
            var example = (await source.FindAsync(ct))!;
            try
            {
                await client.WorkflowService.RegisterNamespaceAsync(
                    new()
                    {
                        Namespace = Name,
                        Description = example.NamespaceInfo.Description,
                        OwnerEmail = example.NamespaceInfo.OwnerEmail,
                        WorkflowExecutionRetentionPeriod = example.Config.WorkflowExecutionRetentionTtl,
                    },
                    BootstrapCluster.Rpc(ct));
            }
            catch (RpcException failure) when (failure.Code == RpcException.StatusCode.AlreadyExists)
            {
                // An attempt before this one did.
            }
        }

        var there = await ListAsync(ct);
        var request = new AddSearchAttributesRequest { Namespace = Name };
        foreach (var (name, type) in await source.ListAsync(ct))
        {
            if (!there.ContainsKey(name))
                request.SearchAttributes[name] = type;
        }

        if (request.SearchAttributes.Count > 0)
            await client.OperatorService.AddSearchAttributesAsync(request, BootstrapCluster.Rpc(ct));
    }

    private async Task<IReadOnlyDictionary<string, IndexedValueType>> ListAsync(CancellationToken ct) =>
        (await client.OperatorService.ListSearchAttributesAsync(new() { Namespace = Name }, BootstrapCluster.Rpc(ct))).CustomAttributes.ToDictionary();
}

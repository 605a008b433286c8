using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Operators;

/// <summary>What <c>temporal operator namespace</c> asks for.</summary>
public class NamespaceTests(SharedServer server)
{
    private readonly string name = "ns-" + Guid.NewGuid();

    private WorkflowService Calls => server.Client.WorkflowService;

    [Fact]
    public async Task Is_described_by_name_and_by_id_as_it_was_registered_and_updated()
    {
        await RegisterAsync(new() { Description = "for tests", OwnerEmail = "me@example.com", Data = { ["team"] = "one", ["tier"] = "gold" } });
        var made = await DescribeAsync(new() { Namespace = name });
        Assert.Equal(("for tests", "me@example.com", NamespaceState.Registered, false), (made.NamespaceInfo.Description, made.NamespaceInfo.OwnerEmail, made.NamespaceInfo.State, made.IsGlobalNamespace));
        Assert.Equal(TimeSpan.FromDays(1), made.Config.WorkflowExecutionRetentionTtl.ToTimeSpan());

        await Calls.UpdateNamespaceAsync(new()
        {
            Namespace = name,
            UpdateInfo = new() { Description = "changed", Data = { ["tier"] = "silver" } },
            Config = new() { WorkflowExecutionRetentionTtl = Duration.FromTimeSpan(TimeSpan.FromDays(3)) },
            ReplicationConfig = new(),
        });
        var updated = await DescribeAsync(new() { Id = made.NamespaceInfo.Id });
        Assert.Equal((name, "changed", "me@example.com"), (updated.NamespaceInfo.Name, updated.NamespaceInfo.Description, updated.NamespaceInfo.OwnerEmail));
        Assert.Equal(("one", "silver"), (updated.NamespaceInfo.Data["team"], updated.NamespaceInfo.Data["tier"]));
        Assert.Equal(TimeSpan.FromDays(3), updated.Config.WorkflowExecutionRetentionTtl.ToTimeSpan());
    }

    [Fact]
    public async Task Refuses_what_cannot_be()
    {
        await RefusedAsync(RpcException.StatusCode.InvalidArgument, () => RegisterAsync(new(), TimeSpan.FromMinutes(59)));
        await RefusedAsync(RpcException.StatusCode.InvalidArgument, () => RegisterAsync(new() { IsGlobalNamespace = true }));
        await RefusedAsync(RpcException.StatusCode.InvalidArgument, () => RegisterAsync(new() { ActiveClusterName = "elsewhere" }));
        await RefusedAsync(RpcException.StatusCode.NotFound, () => DescribeAsync(new() { Namespace = name }));
        await RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Calls.RegisterNamespaceAsync(new() { Namespace = new string('n', 1001), WorkflowExecutionRetentionPeriod = Day }));
        await RegisterAsync(new());
        await RefusedAsync(RpcException.StatusCode.AlreadyExists, () => RegisterAsync(new()));
        await RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Calls.UpdateNamespaceAsync(new() { Namespace = name, PromoteNamespace = true }));
        await RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Calls.UpdateNamespaceAsync(new() { Namespace = name, ReplicationConfig = new() { ActiveClusterName = "elsewhere" } }));
        await RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Calls.UpdateNamespaceAsync(new() { Namespace = name, Config = new() { WorkflowExecutionRetentionTtl = new() } }));
        await RefusedAsync(RpcException.StatusCode.NotFound, () => Calls.UpdateNamespaceAsync(new() { Namespace = name + "x" }));
        var id = (await DescribeAsync(new() { Namespace = name })).NamespaceInfo.Id;
        await RefusedAsync(RpcException.StatusCode.InvalidArgument, () => DescribeAsync(new() { Namespace = name, Id = id }));
    }

    [Fact]
    public async Task A_deprecated_one_starts_nothing_and_goes_on_with_what_runs()
    {
        await RegisterAsync(new());
        var client = await TemporalClient.ConnectAsync(new(server.Address) { Namespace = name });
        WorkflowHandle? running = null;
        await Wait.UntilAsync(async () => !await Wait.FailsAsync(async () => running = await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("running", "nobody") { IdConflictPolicy = WorkflowIdConflictPolicy.UseExisting })));
        await Calls.DeprecateNamespaceAsync(new() { Namespace = name });
        Assert.Equal(NamespaceState.Deprecated, (await DescribeAsync(new() { Namespace = name })).NamespaceInfo.State);
        await Wait.UntilAsync(() => Wait.FailsAsync(() => client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("late-" + Guid.NewGuid(), "nobody"))));
        await RefusedAsync(RpcException.StatusCode.FailedPrecondition, () => client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("later", "nobody")));
        await running!.TerminateAsync();
        await RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Calls.UpdateNamespaceAsync(new() { Namespace = name, UpdateInfo = new() { State = NamespaceState.Registered } }));
    }

    [Fact]
    public async Task A_deleted_one_leaves_its_name_at_once_and_takes_everything_with_it()
    {
        await RegisterAsync(new());
        var client = await TemporalClient.ConnectAsync(new(server.Address) { Namespace = name });
        await Wait.UntilAsync(async () => !await Wait.FailsAsync(() => client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("inside", "nobody") { IdConflictPolicy = WorkflowIdConflictPolicy.UseExisting })));
        var id = (await DescribeAsync(new() { Namespace = name })).NamespaceInfo.Id;
        var deleted = (await server.Client.OperatorService.DeleteNamespaceAsync(new() { Namespace = name })).DeletedNamespace;
        Assert.Equal($"{name}-deleted-{id[..5]}", deleted);
        await Wait.UntilAsync(async () => !await Wait.FailsAsync(() => RegisterAsync(new())));
        Assert.NotEqual(id, (await DescribeAsync(new() { Namespace = name })).NamespaceInfo.Id);
        await Wait.UntilAsync(() => Wait.FailsAsync(() => DescribeAsync(new() { Id = id })));
        Assert.DoesNotContain(await ListAsync(), n => n.NamespaceInfo.Name == deleted);
        Assert.Equal(0, (await client.CountWorkflowsAsync("")).Count);
        await RefusedAsync(RpcException.StatusCode.FailedPrecondition, () => server.Client.OperatorService.DeleteNamespaceAsync(new() { Namespace = "temporal-system" }));
    }

    [Fact]
    public async Task Are_listed_page_by_page()
    {
        await RegisterAsync(new());
        await Calls.RegisterNamespaceAsync(new() { Namespace = name + "-2", WorkflowExecutionRetentionPeriod = Day });
        var all = await ListAsync();
        Assert.Equal(2, all.Count(n => n.NamespaceInfo.Name.StartsWith(name, StringComparison.Ordinal)));
        Assert.Contains(all, n => n.NamespaceInfo.Name == "default");
    }

    [Fact]
    public async Task Each_is_listed_once_though_others_come_between_the_pages()
    {
        await RegisterAsync(new());
        var first = await Calls.ListNamespacesAsync(new() { PageSize = 1 });
        await Calls.RegisterNamespaceAsync(new() { Namespace = "!before-all-" + name, WorkflowExecutionRetentionPeriod = Day });
        var rest = await Calls.ListNamespacesAsync(new() { PageSize = 1000, NextPageToken = first.NextPageToken });
        Assert.Distinct(first.Namespaces.Concat(rest.Namespaces).Select(n => n.NamespaceInfo.Name));
        Assert.Contains(rest.Namespaces, n => n.NamespaceInfo.Name == name);
    }

    private static Duration Day => Duration.FromTimeSpan(TimeSpan.FromDays(1));

    private static Task RefusedAsync(RpcException.StatusCode code, Func<Task> call) => Failures.RefusedAsync(code, call);

    private Task RegisterAsync(RegisterNamespaceRequest request, TimeSpan? retention = null)
    {
        request.Namespace = name;
        request.WorkflowExecutionRetentionPeriod = retention is { } given ? Duration.FromTimeSpan(given) : Day;
        return Calls.RegisterNamespaceAsync(request);
    }

    private Task<DescribeNamespaceResponse> DescribeAsync(DescribeNamespaceRequest request) => Calls.DescribeNamespaceAsync(request);

    private async Task<List<DescribeNamespaceResponse>> ListAsync()
    {
        var all = new List<DescribeNamespaceResponse>();
        var token = ByteString.Empty;
        do
        {
            var page = await Calls.ListNamespacesAsync(new() { PageSize = 3, NextPageToken = token });
            Assert.InRange(page.Namespaces.Count, 0, 3);
            all.AddRange(page.Namespaces);
            token = page.NextPageToken;
        }
        while (!token.IsEmpty);
        return all;
    }
}

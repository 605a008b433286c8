using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>What the report knows of the objects of a component that failed, whatever the activities said with their failure.</summary>
public class FailureDetailTests(RunbookServer server)
{
    private const string Health = "health redis@us-east-1";
    private const string Apply = "apply redis@us-east-1";

    /// <summary>What failed, the details of that failure, and what is then known of the component's two objects.</summary>
    public static TheoryData<string, object?[]?, ObjectResult[]> Failures => new()
    {
        { Apply, null, [ObjectResult.NotReached, ObjectResult.NotReached] },
        { Apply, [new ComponentReport([new(Address("redis"), "component redis", "op-1", ObjectResult.Created)])], [ObjectResult.Created, ObjectResult.NotReached] },
        { Apply, ["something else"], [ObjectResult.NotReached, ObjectResult.NotReached] },
        { Apply, [null], [ObjectResult.NotReached, ObjectResult.NotReached] },
        { Health, null, [ObjectResult.Created, ObjectResult.Created] },
        { Health, [new HealthProgress(DateTimeOffset.UnixEpoch, "0/3 replicas ready")], [ObjectResult.Created, ObjectResult.Created] },
        { Health, ["something else"], [ObjectResult.Created, ObjectResult.Created] },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Reports_what_is_known_of_every_object_of_a_failed_component(string what, object?[]? details, ObjectResult[] known)
    {
        var world = new FakeWorld(Of(Component("redis").With(Plans.Object("redis"), Plans.Object("redis-config"))))
            .Fail(what, new ApplicationFailureException("No.", FailureTypes.Unhealthy, nonRetryable: true, details: details!));
        await using var run = await server.ProvisionAsync(world);

        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Equal("No.", parked.Steps.Single().Detail);
        var removable = known.Count(result => result == ObjectResult.Created);
        Assert.Equal(removable == 0 ? ["Remove what redis@us-east-1 has created, if anything"] : Removals(removable), parked.Compensations);
        await run.SkipAsync("redis");

        Assert.Equal(known, (await run.ReportAsync()).Objects.Select(item => item.Result));
    }

    private static List<string> Removals(int count) =>
        [.. new[] { "redis", "redis-config" }.Take(count).Reverse().Select(name => $"Remove us-east-1 Deployment temporal-backend/{name}")];
}

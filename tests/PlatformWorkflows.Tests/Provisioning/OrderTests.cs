using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

public class OrderTests(RunbookServer server)
{
    [Fact]
    public async Task Starts_a_component_when_everything_that_it_depends_on_is_healthy()
    {
        var world = new FakeWorld(Diamond);
        var databaseHealth = world.Hold("health postgresql@us-east-1");
        var matchingHealth = world.Hold("health matching@us-east-1");
        await using var run = await server.ProvisionAsync(world);

        await databaseHealth.ReachedAsync();
        Assert.Equal(["plan", "apply postgresql@us-east-1", "applied postgresql@us-east-1", "health postgresql@us-east-1"], world.Events);
        databaseHealth.Open();
        await run.UntilAsync("history", StepState.Done);
        Assert.DoesNotContain("apply frontend@us-east-1", world.Events);
        matchingHealth.Open();
        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Healthy, report.Outcome);
        Assert.Equal("4 objects were created, changed or removed; all 4 steps are healthy.", report.Summary);
        var events = world.Events.ToList();
        foreach (var component in Diamond.Components)
            Assert.All(component.DependsOn, needed => Assert.True(events.IndexOf($"healthy {needed}") < events.IndexOf($"apply {component.Step}")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Works_on_as_many_components_at_once_as_the_guard_rails_allow(int maxParallel)
    {
        var names = Enumerable.Range(1, 5).Select(number => $"service-{number}").ToList();
        var world = new FakeWorld(Of([.. names.Select(name => Component(name))]))
        {
            GuardRails = new(Approvals: 0, maxParallel, MayDestroy: false, TimeSpan.FromHours(1)),
        };
        var gates = names.Select(name => world.Hold($"apply {Step(name)}")).ToList();
        await using var run = await server.ProvisionAsync(world);

        await Task.WhenAll(gates.Take(maxParallel).Select(gate => gate.ReachedAsync()));
        var status = await run.UntilAsync(status => status.Steps.Count(step => step.State == StepState.Running) == maxParallel);
        Assert.Equal(names.Take(maxParallel).Select(Step), status.Steps.Where(step => step.State == StepState.Running).Select(step => step.Name));
        Assert.Equal(Step(names[maxParallel]), status.Next);
        foreach (var gate in gates)
            gate.Open();

        Assert.Equal(ProvisioningOutcome.Healthy, (await run.ReportAsync()).Outcome);
        Assert.Equal(maxParallel, world.MostAtOnce);
    }

    [Fact]
    public async Task Goes_on_when_another_worker_takes_over_without_any_memory_of_the_run()
    {
        var world = new FakeWorld(Diamond);
        await using var run = await server.ProvisionAsync(world, adjust: options => options.MaxCachedWorkflows = 0);

        Assert.Equal(ProvisioningOutcome.Healthy, (await run.ReportAsync()).Outcome);
        Assert.Equal(4, world.MutatingCalls.Count());
    }
}

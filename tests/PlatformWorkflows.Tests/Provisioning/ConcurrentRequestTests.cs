using System.Collections.Concurrent;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Exceptions;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>Many people who want the same at the same moment.</summary>
public class ConcurrentRequestTests(RunbookServer server)
{
    [Fact]
    public async Task Two_hundred_requests_for_fifty_environments_give_one_run_for_each_and_each_keeps_its_order()
    {
        var world = new FakeWorld(Chain);
        var planning = world.Hold("plan");
        using var worker = server.CreateWorker(world);
        var suffix = Guid.NewGuid().ToString("N");
        var (started, joined) = (new ConcurrentBag<(string Id, string Run)>(), new ConcurrentBag<(string Id, string Run)>());

        await worker.ExecuteAsync(async () =>
        {
            await Task.WhenAll(Enumerable.Range(0, 200).Select(async request =>
            {
                var environment = $"e{request % 50}-{suffix}";
                try
                {
                    var handle = await server.Client.StartWorkflowAsync(
                        (ProvisionEnvironment workflow) => workflow.RunAsync(new ProvisionEnvironmentInput { Environment = environment, OperationId = $"op-{request % 50}" }),
                        new(ProvisionEnvironment.WorkflowId(environment), worker.Options.TaskQueue!));
                    started.Add((handle.Id, handle.ResultRunId!));
                }
                catch (WorkflowAlreadyStartedException running)
                {
                    joined.Add((running.WorkflowId, running.RunId!));
                }
            }));
            planning.Open();
            foreach (var (id, run) in started)
                await server.Client.GetWorkflowHandle(id, run).GetResultAsync<ProvisioningReport>().WaitAsync(Wait.Patience);
        });

        Assert.Equal((50, 150), (started.Count, joined.Count));
        Assert.Equal(started.ToHashSet(), joined.ToHashSet());
        Assert.Equal(50, world.Events.Count(did => did == "plan"));
        var applied = world.Applied.ToLookup(input => input.Reference.Environment, input => input.Plan.Component);
        Assert.Equal(50, applied.Count);
        Assert.All(applied, run =>
        {
            Assert.Equal(["frontend", "postgresql", "redis"], run.Order());
            Assert.True(run.ToList().IndexOf("postgresql") < run.ToList().IndexOf("frontend"));
        });
    }
}

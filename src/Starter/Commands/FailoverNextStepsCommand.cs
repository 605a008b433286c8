using System.CommandLine;
using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Platform.Failover;
using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Commands;

/// <summary>What is left of a change of places when the Temporal cluster is lost that knew of it: looked at in the world alone.</summary>
internal static class FailoverNextStepsCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var connections = new Option<string>("--connections") { Description = "How witness, nodes and regions are reached: the file that workers have.", HelpName = "FILE", Required = true };
        return new CliCommand(
            "next-steps",
            "Say what is left to do of a failover whose bootstrap cluster is lost. Needs no Temporal server; changes nothing.",
            new Example("failover next-steps production --connections platform.json", "exit code 7 when people have to do something, 10 when a run started anywhere does it"))
        {
            environment, connections,
        }
        .Runs(async (invocation, ct) =>
        {
            var reached = WorkerCommand.Connections(invocation.Get(connections), invocation.Locations.Data, instance: null);
            using var failovers = new FailoverActivities(new ProvisioningSources(invocation.Locations.Specification, invocation.Locations.Catalog), reached, FailoverPairs.Opener(reached));
            var world = await LookAsync(failovers, invocation.Get(environment), ct);
            var steps = NextSteps.Of(world);
            invocation.Terminal.Line(world.Witness?.Record is { } record ? $"Epoch {record.Epoch} is {record.Primary}'s, claimed by {record.OperationId}." : "No epoch is known.");
            foreach (var (name, node) in world.Nodes)
                invocation.Terminal.Line($"  {name}: {(node is null ? "does not answer" : $"{node.Role}{(node.Writable ? ", writable" : "")}{(node.Fenced ? ", fenced" : "")}, epoch {node.Epoch}")}");
            foreach (var pointer in world.Pointers)
                invocation.Terminal.Line($"  {pointer.Name}: {(pointer.Epoch is { } epoch ? $"leads to {pointer.Node ?? "neither node"}, epoch {epoch}" : "cannot be read")}");
            foreach (var space in world.Namespaces)
                invocation.Terminal.Line($"  Temporal namespace {space.Name}: {string.Join("; ", space.Said.Select(said => said.Value is { } now ? $"{said.Key} says active in {now.Cluster}{(now.Closed ? ", closed by a handover" : "")}" : $"{said.Key} does not answer"))}");
            foreach (var (step, number) in steps.Select((step, number) => (step, number + 1)))
                invocation.Terminal.Line($"{number}. {(step.Actor == NextActor.People ? "PEOPLE" : "run")}: {step.Found} {step.Do}");
            invocation.Terminal.Line(steps.Count == 0 ? "Nothing is left to do."
                : $"What a run does it does at any Temporal cluster, also a new and empty one: start workers there with this file, and the workflow failover/{world.Environment} (docs/runbooks/failover.md#when-the-bootstrap-cluster-is-lost).");
            invocation.Terminal.Result(new { environment = world.Environment, epoch = world.Witness?.Record?.Epoch, primary = world.Witness?.Record?.Primary, namespaces = world.Namespaces, steps });
            return steps.Count == 0 ? ExitCode.Success : steps.Any(step => step.Actor == NextActor.People) ? ExitCode.Parked : ExitCode.Changes;
        });
    }

    private static async Task<FailoverWorld> LookAsync(FailoverActivities failovers, string environment, CancellationToken ct)
    {
        try
        {
            return await failovers.LookAsync(environment, ct);
        }
        catch (AdapterException failure)
        {
            throw new CommandFailure(ExitCode.Invalid, $"The world of {environment} cannot be looked at.", failure.Message, "See docs/runbooks/failover.md for the connections file.", failure);
        }
    }
}

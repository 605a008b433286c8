using System.CommandLine;
using PlatformOps.Platform.Schedules;
using PlatformOps.Starter.Bootstrap;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Schedules;

namespace PlatformOps.Starter.Commands;

/// <summary>Brings Temporal to the schedules that an environment's specification declares.</summary>
internal static class ScheduleApplyCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var plan = new Option<bool>("--plan") { Description = "Only show what would change." };
        var exitCode = new Option<bool>("--exit-code") { Description = $"With --plan: end with {(int)ExitCode.Changes} when something would change." };
        var prune = new Option<bool>("--prune") { Description = "Also remove schedules that were made from this environment's specification and are not declared any more." };
        var yes = RunArguments.Yes();
        return new CliCommand(
            "apply",
            "Create and change schedules until they are as the specification declares them; what is paused stays paused. Shows the difference first.",
            new Example("schedules apply production", "show what would change, and ask"),
            new Example("schedules apply production --plan --exit-code", "for a pipeline: exit code 10 when something differs"),
            new Example("schedules apply production --prune --yes", "and remove what is not declared any more"))
        {
            environment, plan, exitCode, prune, yes,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var schedules = await EnvironmentSchedules.OpenAsync(invocation, name, ct);
            var found = await schedules.FindAsync(ct);
            var changes = schedules.Plan(found, invocation.Get(prune));
            Show(invocation, changes);
            if (changes.FirstOrDefault(change => change.Action == ScheduleAction.Refuse) is { } refused)
                throw new CommandFailure(ExitCode.Refused, $"The schedule {refused.Id} cannot be made as declared; nothing was changed.", refused.Reason, $"platformops schedules apply {name}");
            var pending = changes.Where(change => change.Changes).ToList();
            if (invocation.Get(plan) || pending.Count == 0)
            {
                invocation.Terminal.Line(pending.Count == 0 ? $"The schedules of {name} are as declared." : "Nothing was changed.");
                Write(invocation, name, changes, applied: false);
                return invocation.Get(exitCode) && pending.Count > 0 ? ExitCode.Changes : ExitCode.Success;
            }

            await BootstrapGate.RequireActiveAsync(schedules.Client, ct);
            invocation.Confirm(invocation.Get(yes), $"Change {pending.Count} of the schedules of {name}?");
            foreach (var change in pending)
            {
                await schedules.CarryOutAsync(change, found, ct);
                invocation.Terminal.Progress($"{change.Id}: {Done(change.Action)}.");
            }

            Write(invocation, name, changes, applied: true);
            return ExitCode.Success;
        });
    }

    private static void Show(Invocation invocation, IReadOnlyList<ScheduleChange> changes)
    {
        foreach (var change in changes)
        {
            invocation.Terminal.Line($"{Sign(change.Action)} {change.Id}: {change.Reason}");
            foreach (var field in change.Fields)
                invocation.Terminal.Line($"    {field.Field}: {field.From} -> {field.To}");
        }
    }

    private static void Write(Invocation invocation, string environment, IReadOnlyList<ScheduleChange> changes, bool applied) =>
        invocation.Terminal.Result(new { environment, applied, changed = changes.Count(change => change.Changes), schedules = changes.Select(change => new { change.Id, change.Action, change.Fields, change.Reason }) });

    private static string Sign(ScheduleAction action) => action switch
    {
        ScheduleAction.Create => "+",
        ScheduleAction.Update => "~",
        ScheduleAction.Remove => "-",
        ScheduleAction.Refuse => "!",
        _ => " ",
    };

    private static string Done(ScheduleAction action) => action switch
    {
        ScheduleAction.Create => "created",
        ScheduleAction.Update => "changed",
        _ => "removed",
    };
}

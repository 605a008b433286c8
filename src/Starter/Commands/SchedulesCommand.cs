using System.CommandLine;
using System.Globalization;
using PlatformOps.Adapters.Schedules;
using PlatformOps.Platform.Schedules;
using PlatformOps.Starter.Bootstrap;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Schedules;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Commands;

/// <summary>The schedules of an environment: as the specification declares them, and what they do.</summary>
internal static class SchedulesCommand
{
    private const int ShownTimes = 5;

    public static Command Create() => new CliCommand("schedules", "What runs regularly: bring Temporal to what the specification declares, look at it, pause it, make up for what was missed.",
        new Example("schedules apply production --plan", "what is not as declared"),
        new Example("schedules apply production --yes", "bring it there"),
        new Example("schedules list production", "what runs when, what came of it, and what was missed"),
        new Example("schedules pause production drift --reason \"storage is being moved\"", "not until somebody resumes it"),
        new Example("schedules backfill production drift --from 2026-11-25T00:00Z --to 2026-11-26T00:00Z", "make up for a day"))
    {
        ScheduleApplyCommand.Create(), ListCommand(), DescribeCommand(), TriggerCommand(), PauseCommand(), ResumeCommand(), BackfillCommand(),
    };

    /// <summary>As JSON.</summary>
    public static object Of(KeptSchedule kept, bool declared) => new
    {
        id = kept.Found.Id,
        kept.Found.Form.WorkflowType,
        kept.Found.Form.When,
        declared,
        kept.Paused,
        kept.Note,
        kept.Started,
        kept.Missed,
        kept.Skipped,
        kept.Dropped,
        next = kept.Next.Count > 0 ? kept.Next[0] : (DateTimeOffset?)null,
        last = kept.Recent.Count > 0 ? kept.Recent[0] : null,
    };

    private static CliCommand ListCommand()
    {
        var environment = RunArguments.Environment();
        return new CliCommand("list", "Show every schedule of an environment: when it runs, what came of the last run, and what was missed. Changes nothing.",
            new Example("schedules list production", "declared or made by hand"))
        {
            environment,
        }
        .Runs(async (invocation, ct) =>
        {
            var schedules = await EnvironmentSchedules.OpenAsync(invocation, invocation.Get(environment), ct);
            var found = await schedules.FindAsync(ct);
            foreach (var kept in found)
                invocation.Terminal.Line($"{kept.Found.Id}: {kept.Found.Form.WorkflowType} {kept.Found.Form.When}; {Standing(kept)}{(schedules.Declared.ContainsKey(kept.Found.Id) ? "" : "; not declared")}");
            var absent = schedules.Declared.Keys.Except(found.Select(kept => kept.Found.Id)).Order(StringComparer.Ordinal).ToList();
            foreach (var id in absent)
                invocation.Terminal.Line($"{id}: declared, and not there; platformops schedules apply {invocation.Get(environment)} creates it");
            if (found.Count + absent.Count == 0)
                invocation.Terminal.Line("There is none.");
            invocation.Terminal.Result(new { environment = invocation.Get(environment), schedules = found.Select(kept => Of(kept, schedules.Declared.ContainsKey(kept.Found.Id))), absent });
            return ExitCode.Success;
        });
    }

    private static CliCommand DescribeCommand()
    {
        var (environment, name) = (RunArguments.Environment(), Name());
        return new CliCommand("describe", "Show all of a schedule: what it starts with which input, its next times and its last runs. Changes nothing.",
            new Example("schedules describe production drift", "by its name in the specification"))
        {
            environment, name,
        }
        .Runs(async (invocation, ct) =>
        {
            var (_, kept) = await FindAsync(invocation, environment, name, ct);
            var form = kept.Found.Form;
            invocation.Terminal.Line($"{kept.Found.Id}: {form.WorkflowType} {form.When}; {Standing(kept)}");
            invocation.Terminal.Line($"  {(kept.Found.DeclaredBy is { } by ? $"declared by the specification of {by}" : "made by hand")}; {kept.Note}");
            invocation.Terminal.Line($"  starts {form.RunId} on {form.TaskQueue} with {form.Input}");
            invocation.Terminal.Line($"  jitter {form.Jitter}, overlap {form.Overlap}, catch-up window {form.CatchUpWindow}, pause on failure: {(form.PauseOnFailure ? "yes" : "no")}");
            invocation.Terminal.Line($"  {kept.Started} started, {kept.Missed} missed, {kept.Skipped} skipped because one went on, {kept.Dropped} dropped");
            foreach (var time in kept.Next.Take(ShownTimes))
                invocation.Terminal.Line($"  next  {Time(time)}");
            foreach (var run in kept.Recent.Take(ShownTimes))
                invocation.Terminal.Line($"  last  {Time(run.Started)} {run.Status ?? "started"}: {run.WorkflowId} (run {run.RunId})");
            invocation.Terminal.Result(new
            {
                id = kept.Found.Id,
                kept.Found.DeclaredBy,
                form,
                kept.Paused,
                kept.Note,
                kept.Started,
                kept.Missed,
                kept.Skipped,
                kept.Dropped,
                next = kept.Next.Take(ShownTimes),
                kept.Recent,
            });
            return ExitCode.Success;
        });
    }

    private static CliCommand TriggerCommand()
    {
        var (environment, name) = (RunArguments.Environment(), Name());
        return new CliCommand("trigger", "Start a run of a schedule now, also of one that is paused; skipped when one goes on.", new Example("schedules trigger production drift", "look now"))
        {
            environment, name,
        }
        .Runs((invocation, ct) => ActAsync(invocation, environment, name, "triggered", "A run is started, if none goes on.", (temporal, id) => temporal.TriggerAsync(id, ct), ct));
    }

    private static CliCommand PauseCommand()
    {
        var (environment, name, reason, by) = (RunArguments.Environment(), Name(), RunArguments.Reason(required: true), RunArguments.By());
        return new CliCommand("pause", "Start nothing until somebody resumes it; what goes on goes on. Runs that fall due meanwhile are not made up for.",
            new Example("schedules pause production drift --reason \"storage is being moved\"", "the reason is kept as the schedule's note"))
        {
            environment, name, reason, by,
        }
        .Runs((invocation, ct) => ActAsync(
            invocation, environment, name, "paused", "It starts nothing until it is resumed.",
            (temporal, id) => temporal.PauseAsync(id, $"Paused by {invocation.Get(by) ?? RunCommands.Caller()}: {invocation.Get(reason)}", ct), ct));
    }

    private static CliCommand ResumeCommand()
    {
        var (environment, name, reason, by) = (RunArguments.Environment(), Name(), RunArguments.Reason(required: false), RunArguments.By());
        return new CliCommand("resume", "Start runs again as they fall due.", new Example("schedules resume production drift", "from the next one on"))
        {
            environment, name, reason, by,
        }
        .Runs((invocation, ct) => ActAsync(
            invocation, environment, name, "resumed", "It runs again.",
            (temporal, id) => temporal.ResumeAsync(id, $"Resumed by {invocation.Get(by) ?? RunCommands.Caller()}{(invocation.Get(reason) is { } why ? $": {why}" : ".")}", ct), ct));
    }

    private static CliCommand BackfillCommand()
    {
        var (environment, name) = (RunArguments.Environment(), Name());
        var from = new Option<string>("--from") { Description = "From when on, with its offset, for example 2026-11-25T00:00Z.", HelpName = "TIME", Required = true };
        var to = new Option<string>("--to") { Description = "Until when. [default: now]", HelpName = "TIME" };
        return new CliCommand("backfill", "Start the runs that were due in a time, one after the other.",
            new Example("schedules backfill production drift --from 2026-11-25T00:00Z --to 2026-11-25T06:00Z", "those of six hours"))
        {
            environment, name, from, to,
        }
        .Runs((invocation, ct) =>
        {
            var begin = Read("--from", invocation.Get(from)!);
            var end = invocation.Get(to) is { } typed ? Read("--to", typed) : TimeProvider.System.GetUtcNow();
            if (end <= begin)
                throw new CommandFailure(ExitCode.Usage, $"--to, {Time(end)}, is not after --from, {Time(begin)}.", "Nothing would be due.", "platformops schedules backfill --help");
            return ActAsync(
                invocation, environment, name, "backfilled", $"The runs that were due from {Time(begin)} to {Time(end)} are started, one after the other.",
                (temporal, id) => temporal.BackfillAsync(id, begin, end, ct), ct);
        });
    }

    private static Argument<string> Name() => new("schedule") { Description = "Its name in the specification, for example drift." };

    private static async Task<ExitCode> ActAsync(
        Invocation invocation, Argument<string> environment, Argument<string> name, string outcome, string done, Func<TemporalSchedules, string, Task> act, CancellationToken ct)
    {
        var client = await invocation.ConnectForAsync(invocation.Get(environment), ct);
        await BootstrapGate.RequireActiveAsync(client, ct);
        var id = SchedulePlan.IdOf(invocation.Get(environment), invocation.Get(name));
        try
        {
            await act(new(client), id);
        }
        catch (RpcException failure) when (failure.Code == RpcException.StatusCode.NotFound)
        {
            throw Unknown(invocation.Get(environment), id);
        }

        invocation.Terminal.Line($"{id}: {done}");
        invocation.Terminal.Result(new { environment = invocation.Get(environment), id, outcome });
        return ExitCode.Success;
    }

    private static async Task<(TemporalSchedules Temporal, KeptSchedule Kept)> FindAsync(Invocation invocation, Argument<string> environment, Argument<string> name, CancellationToken ct)
    {
        var temporal = new TemporalSchedules(await invocation.ConnectForAsync(invocation.Get(environment), ct));
        var id = SchedulePlan.IdOf(invocation.Get(environment), invocation.Get(name));
        return (temporal, await temporal.FindAsync(id, ct) ?? throw Unknown(invocation.Get(environment), id));
    }

    private static CommandFailure Unknown(string environment, string id) => new(
        ExitCode.NotFound, $"There is no schedule {id}.", "It was never created, or removed.", $"platformops schedules list {environment}; platformops schedules apply {environment}");

    private static string Standing(KeptSchedule kept)
    {
        var parts = new List<string> { kept.Paused ? "PAUSED" : kept.Next is [var next, ..] ? $"next {Time(next)}" : "nothing to come" };
        if (kept.Recent is [var last, ..])
            parts.Add($"last {Time(last.Started)} {last.Status ?? "started"}");
        if (kept.Missed + kept.Skipped + kept.Dropped > 0)
            parts.Add($"{kept.Missed} missed, {kept.Skipped} skipped, {kept.Dropped} dropped");
        return string.Join("; ", parts);
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static DateTimeOffset Read(string option, string text) =>
        // A time without an offset would be another one on each machine.
        text.Contains('T', StringComparison.Ordinal) && (text.EndsWith('Z') || text[text.IndexOf('T', StringComparison.Ordinal)..].AsSpan().IndexOfAny('+', '-') > 0)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? time
            : throw new CommandFailure(ExitCode.Usage, $"{option} is '{text}'.", "A time with its offset is expected, for example 2026-11-25T00:00Z.", "platformops schedules backfill --help");
}

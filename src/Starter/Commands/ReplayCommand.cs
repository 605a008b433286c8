using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Starter.Replay;
using Temporalio.Client;

namespace PlatformOps.Starter.Commands;

/// <summary>Whether workers of this version would go on with executions that there are.</summary>
internal static class ReplayCommand
{
    /// <summary>Where a guard says which executions it means.</summary>
    public const string Variable = "EXECUTIONS";

    public static Command Create()
    {
        var id = new Argument<string?>("workflowId") { Description = "Only this execution, for example failover/production.", Arity = ArgumentArity.ZeroOrOne };
        var run = new Option<string>("--run-id") { Description = "Its run. [default: the latest]", HelpName = "ID" };
        var space = new Option<string>("--namespace") { Description = "Its namespace, or that of --query. [default: that of the connection]", HelpName = "NAME" };
        var query = new Option<string>("--query") { Description = "The executions that this list filter finds.", HelpName = "FILTER" };
        var list = new Option<string>("--executions") { Description = """A file with an execution on each line: {"namespace", "workflowId", "runId"}. [default: $EXECUTIONS]""", HelpName = "FILE" };
        var histories = new Option<string[]>("--history") { Description = "Histories in files, as `temporal workflow show --output json` writes them. Needs no server.", HelpName = "FILE...", AllowMultipleArgumentsPerToken = true };
        return new CliCommand(
            "replay",
            "Replay histories of the runbooks with the code of this version's workers: whether they would go on with them. Changes nothing.",
            new Example("replay failover/production", "one execution, its latest run"),
            new Example("replay --query \"ExecutionStatus = 'Running'\"", "before an upgrade, with the new version: everything that runs"),
            new Example("replay --executions executions.jsonl", "those that a file lists, as a guard asks for it"),
            new Example("replay --history history.json", "without a server"))
        {
            id, run, space, query, list, histories,
        }
        .Runs(async (invocation, ct) =>
        {
            try
            {
                var chosen = new Chosen(invocation.Get(id), invocation.Get(run), invocation.Get(space), invocation.Get(query), invocation.Get(list), invocation.Get(histories) ?? []);
                var report = new ReplayReport(await ReplayAsync(invocation, chosen, ct), chosen.WorkflowId is not null || chosen.Histories.Count > 0);
                Write(invocation.Terminal, report);
                return report.ExitCode;
            }
            catch (Exception failure)
            {
                var described = Failures.Describe(failure, invocation, ct);
                var code = invocation.Terminal.Report(described, failure);
                // Whoever takes the last line for the result has to find it there.
                invocation.Terminal.Line($"Not everything was replayed: {described.What} {string.Join(' ', described.Problems.Take(1).Append(described.Why))}".ReplaceLineEndings(" ").TrimEnd());
                return code;
            }
        });
    }

    private static async Task<IReadOnlyList<ReplayResult>> ReplayAsync(Invocation invocation, Chosen chosen, CancellationToken ct)
    {
        var results = new List<ReplayResult>();
        if (chosen.Histories.Count > 0)
        {
            foreach (var file in chosen.Histories)
                results.Add(Told(await HistoryReplay.OfAsync(file, ct)));
            return results;
        }

        var listed = chosen.List is { } list ? await ExecutionList.ReadAsync(list, ct) : null;
        var target = TemporalTarget.Find(invocation.Locations.Data);
        var client = await target.ConnectAsync(ct);
        var space = chosen.Namespace ?? client.Options.Namespace;
        invocation.Terminal.Progress($"Replaying {(listed is null ? chosen.WorkflowId ?? $"what is found in {space}" : $"{listed.Count} executions")} of {target.Address} with the workers of platformops {VersionCommand.Version(typeof(ReplayCommand))}.");
        await foreach (var execution in listed?.ToAsyncEnumerable() ?? FindAsync(client, chosen, space, ct))
            results.Add(Told(await HistoryReplay.OfAsync(client, execution, ct)));
        return results;

        ReplayResult Told(ReplayResult result)
        {
            if (InWords(result) is { } line)
                invocation.Terminal.Progress(line);
            return result;
        }
    }

    private static IAsyncEnumerable<Execution> FindAsync(TemporalClient client, Chosen chosen, string space, CancellationToken ct)
    {
        if (chosen.WorkflowId is { } id)
            return new[] { new Execution(space, id, chosen.RunId) }.ToAsyncEnumerable();
        var options = (TemporalClientOptions)client.Options.Clone();
        options.Namespace = space;
        return new TemporalClient(client.Connection, options).ListWorkflowsAsync(chosen.Query!, new() { Rpc = new() { CancellationToken = ct } }).Select(found => new Execution(space, found.Id, found.RunId));
    }

    private static void Write(Terminal terminal, ReplayReport report)
    {
        var (wrong, unread, foreign) = (report.Of(ReplayVerdict.DoesNotReplay), report.Of(ReplayVerdict.Unread), report.Of(ReplayVerdict.NotOurs));
        if (wrong is [{ Execution: var first }, ..])
        {
            terminal.Line($"next: a worker of platformops {VersionCommand.Version(typeof(ReplayCommand))} would stop at such a run and try again; keep the version that it ran with until it has ended. What a newer version has written does not replay here: use the version of your workers.");
            terminal.Line($"      To report it: temporal workflow show --workflow-id {first.WorkflowId}{(first.RunId is null ? "" : $" --run-id {first.RunId}")}{(first.Namespace is null ? "" : $" --namespace {first.Namespace}")} --output json");
        }

        if (unread.Count > 0)
            terminal.Line($"next: {(unread.Any(one => one.ExitCode == ExitCode.Invalid) ? "give this process the keys of the payload codec (PLATFORMOPS_CODEC_KEYS, platformops codec keys)" : "compare the namespace, workflow id and run id with: temporal workflow list")}; nothing is known of what could not be read.");
        terminal.Line(report.Summary);
        terminal.Result(new
        {
            outcome = wrong.Count > 0 ? "doesNotReplay" : unread.Count > 0 ? "unread" : report.Of(ReplayVerdict.Replays).Count > 0 ? "replays" : "nothing",
            report.Summary,
            replayed = report.Of(ReplayVerdict.Replays).Select(InData),
            doNotReplay = wrong.Select(InData),
            unread = unread.Select(InData),
            notBegun = report.Of(ReplayVerdict.NotBegun).Select(InData),
            notOurs = ReplayReport.TypesOf(foreign).Select(pair => new { workflowType = pair.Type, executions = pair.Count }),
        });
    }

    private static object InData(ReplayResult result) => new { result.Execution.Namespace, result.Execution.WorkflowId, result.Execution.RunId, result.WorkflowType, result.Events, result.Reason };

    private static string? InWords(ReplayResult result) => result.Verdict switch
    {
        ReplayVerdict.Replays => $"replays: {result}, {result.Events} events",
        ReplayVerdict.DoesNotReplay => $"does not replay: {result}: {result.Reason}",
        ReplayVerdict.NotBegun => $"has not begun: {result}",
        ReplayVerdict.Unread => $"could not be read: {result}: {result.Reason}",
        _ => null,
    };

    /// <summary>What was typed: exactly one of an id, a filter, a list and histories.</summary>
    private sealed record Chosen
    {
        public Chosen(string? workflowId, string? runId, string? space, string? query, string? list, IReadOnlyList<string> histories)
        {
            (WorkflowId, RunId, Namespace, Query, Histories) = (workflowId, runId, space, query, histories);
            var typed = new[] { workflowId is not null, query is not null, list is not null, histories.Count > 0 }.Count(was => was);
            List = list ?? (typed == 0 && Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given ? given : null);
            if (typed > 1 || (typed == 0 && List is null))
                throw Wrong("Exactly one of a workflow id, --query, --executions (or $EXECUTIONS) and --history says what to replay.");
            if (runId is not null && workflowId is null)
                throw Wrong("--run-id is the run of a workflow id, which is not there.");
            if (space is not null && workflowId is null && query is null)
                throw Wrong("--namespace is that of a workflow id or of --query; a list says the namespace of each execution.");
        }

        public string? WorkflowId { get; }

        public string? RunId { get; }

        public string? Namespace { get; }

        public string? Query { get; }

        public string? List { get; }

        public IReadOnlyList<string> Histories { get; }

        private static CommandFailure Wrong(string what) => new(ExitCode.Usage, what, "", "platformops replay --help");
    }
}

using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Platform.Failover;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Starter.Demos;

/// <summary>What goes wrong in the demo.</summary>
internal enum FailoverScenario
{
    /// <summary>The machine of the primary is gone at once: server and guard; it comes back later.</summary>
    NodeLost,

    /// <summary>The server's first process dies, its guard lives.</summary>
    PostmasterKilled,

    /// <summary>The guard dies, its server lives.</summary>
    GuardKilled,

    /// <summary>Nothing: an operator asks for a change of places.</summary>
    Switchover,
}

/// <summary>What came of it. The clients' own account, and the run's report.</summary>
/// <param name="Outcome">That of the run's report; <see cref="FailoverDemo.RestartedInPlace"/>: there was no failover.</param>
/// <param name="Acknowledged">Rows that clients were told are written.</param>
/// <param name="Lost">How many of them the primary does not have in the end.</param>
/// <param name="InDoubt">Rows whose connection broke before the answer: they may be there or not.</param>
/// <param name="ReportedRows">Row changes that existed on the old primary only, as the run found them; null: it found none.</param>
/// <param name="WritableAfterSeconds">From the fault to the first row that was acknowledged by the new primary; for a switchover the longest gap.</param>
/// <param name="OwnSeconds">Of that, what deciding and ordering took: no step was being carried out meanwhile.</param>
/// <param name="Phases">By step, in seconds, as the run measured them.</param>
internal sealed record FailoverDemoResult(
    string Scenario, bool Synchronous, string Outcome, int Acknowledged, int Lost, int InDoubt, int? ReportedRows, int MaxWritablePrimaries, double WritableAfterSeconds, double? OwnSeconds, IReadOnlyDictionary<string, double> Phases);

/// <summary>The whole story of a failover, live: clients write, something dies, and the run does the rest.</summary>
internal sealed class FailoverDemo(Terminal terminal, FailoverScenario scenario, bool synchronous, bool verbose)
{
    /// <summary>The outcome where nothing had to change places.</summary>
    public const string RestartedInPlace = "restartedInPlace";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3), WellForGood = TimeSpan.FromSeconds(5);

    private static readonly TimeProvider Clock = TimeProvider.System;

    private readonly long began = Clock.GetTimestamp();

    public async Task<FailoverDemoResult> RunAsync((string First, string Second) regions, ProvisioningSources sources, CancellationToken ct)
    {
        Say("Starting two PostgreSQL servers with guards, the witness, the bootstrap server and workers in both regions ...");
        await using var world = await FailoverWorld.StartAsync(regions, sources, synchronous, verbose, Say, ct);
        await using var clients = new Clients(world.ClientAddresses, writers: 4, Clock);
        await FailoverWorld.UntilAsync("clients write", () => Task.FromResult(clients.Acknowledged > 500), ct);
        Say($"Clients write: {clients.Acknowledged} rows are acknowledged so far.");

        var fault = Clock.GetTimestamp();
        await BreakAsync(world, ct);
        var report = await FollowAsync(world, () => clients.FirstAfter(Clock.GetTimestamp() - Clock.TimestampFrequency) is not null, ct);
        Say(report is null ? $"The server in {world.Primary} was started again in place, and serves: nothing had to change places." : $"Why: {report.Reason}");
        var gap = clients.LongestGap(fault);
        await FailoverWorld.UntilAsync("clients write again", () => Task.FromResult(clients.LongestGap(fault).Ended != 0 && clients.FirstAfter(gap.Ended) is not null), ct);
        await clients.StopAsync();
        var primary = report?.To ?? world.Primary;
        var lost = await clients.LostAsync(world.Pair[primary].Clients.Listen, ct);
        var writable = scenario == FailoverScenario.Switchover ? gap.Length : Clock.GetElapsedTime(fault, gap.Ended);
        var own = report is null ? null : OwnTime.Of(await world.Run.FetchHistoryAsync(new() { Rpc = new() { CancellationToken = ct } }));
        var result = new FailoverDemoResult(
            JsonNamingPolicy.CamelCase.ConvertName(scenario.ToString()), synchronous, report is null ? RestartedInPlace : JsonNamingPolicy.CamelCase.ConvertName(report.Outcome.ToString()), clients.Acknowledged, lost, clients.InDoubt, report?.Divergence?.Rows,
            clients.MaxWritable(), Math.Round(writable.TotalSeconds, 3), own is { } known ? Math.Round(known.TotalSeconds, 3) : null, (report?.Phases ?? []).ToDictionary(phase => phase.Name, phase => Math.Round(phase.Seconds, 3)));
        if (report is not null)
            Say(report.Summary);
        Say($"{result.Acknowledged} rows were acknowledged; {primary} lacks {lost} of them. {result.InDoubt} are in doubt: their connection broke before the answer.");
        Say(string.Create(CultureInfo.InvariantCulture, $"At most {result.MaxWritablePrimaries} node was writable at any moment. Clients could write again after {result.WritableAfterSeconds:0.00} s."));
        return result;
    }

    private async Task BreakAsync(FailoverWorld world, CancellationToken ct)
    {
        switch (scenario)
        {
            case FailoverScenario.NodeLost:
                Say($"The machine of {world.Primary} is lost: guard and server are killed.");
                await world.Guards.LoseAsync(world.Primary);
                break;
            case FailoverScenario.PostmasterKilled:
                Say($"The server's first process in {world.Primary} is killed; its guard lives.");
                world.Guards.KillPostmaster(world.Primary);
                break;
            case FailoverScenario.GuardKilled:
                Say($"The guard of {world.Primary} is killed; its server lives, and nobody reaches it.");
                world.Guards.KillGuard(world.Primary);
                break;
            default:
                Say($"An operator asks for {world.Standby} as primary; two others approve.");
                await AskAsync(world);
                return;
        }

        await AlertAsync(world, ct);
    }

    /// <summary>As Alertmanager would, later than the observers notice it themselves.</summary>
    private async Task AlertAsync(FailoverWorld world, CancellationToken ct)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", FailoverWorld.Token);
        using var body = new StringContent(JsonSerializer.Serialize(new
        {
            version = "4",
            status = "firing",
            alerts = new[]
            {
                new
                {
                    status = "firing",
                    labels = new { alertname = "PostgreSQLNoWritablePrimary", environment = FailoverWorld.Environment, region = world.Primary, runbook = "failover", severity = "critical" },
                    annotations = new { summary = "No database node accepts writes." },
                    startsAt = Clock.GetUtcNow(),
                    fingerprint = "a482cdbb60238a75",
                },
            },
        }), Encoding.UTF8, "application/json");
        var answer = await http.PostAsync(new Uri(world.Receiver, "/v1/alertmanager"), body, ct);
        Say($"The alert PostgreSQLNoWritablePrimary was sent; the receiver answers {(int)answer.StatusCode}: the run has it as evidence, and decides by its own.");
    }

    private static async Task AskAsync(FailoverWorld world)
    {
        await world.Run.ExecuteUpdateAsync<ControlResult>("failOver", [new FailOverInput("the demo", "ana")]);
        if ((await world.Run.QueryAsync<RunbookStatus>("status", [])).PlanHash is not { } hash)
            return;
        foreach (var person in new[] { "ben", "eva" })
        {
            if ((await world.Run.QueryAsync<RunbookStatus>("status", [])).PlanHash == hash)
                await world.Run.ExecuteUpdateAsync<ControlResult>("approve", [new ApproveInput(hash, person)]);
        }
    }

    /// <summary>Says what the run does until it has ended.</summary>
    /// <param name="written">Whether clients wrote within the last second.</param>
    /// <returns>Null: nothing had to change places.</returns>
    private async Task<FailoverReport?> FollowAsync(FailoverWorld world, Func<bool> written, CancellationToken ct)
    {
        var (said, back, started) = (new Dictionary<string, string>(), false, Clock.GetTimestamp());
        long? well = null;
        while (true)
        {
            var view = await world.Run.QueryAsync<FailoverView>("failover", []);
            var status = await world.Run.QueryAsync<RunbookStatus>("status", []);
            foreach (var step in status.Steps.Where(step => step.State is not (StepState.Pending or StepState.Blocked)))
            {
                var line = $"{step.Name}: {JsonNamingPolicy.CamelCase.ConvertName(step.State.ToString())}. {step.Detail}";
                if (said.GetValueOrDefault(step.Name) != line)
                    Say($"  {said[step.Name] = line}");
            }

            // An attempt that found the lease renewed at the last moment has changed nothing, and is followed by the next.
            if (view.Last is { Outcome: not FailoverOutcome.NothingDone } last)
                return last;
            // Where the standby may lack something, a server that merely ended is started again in place.
            well = scenario == FailoverScenario.PostmasterKilled && view is { Code: FailoverReason.Healthy or FailoverReason.AlertAlone } && written() ? well ?? Clock.GetTimestamp() : null;
            if (well is { } since && Clock.GetElapsedTime(since) > WellForGood)
                return null;

            if (!back && scenario is FailoverScenario.NodeLost or FailoverScenario.GuardKilled && status.Steps.Any(step => step is { Name: "verify", State: StepState.Done }))
            {
                back = true;
                Say($"The machine of {world.Primary} comes back: its guard is started again.");
                world.Guards.Start(world.Primary);
            }

            if (Clock.GetElapsedTime(started) > Patience)
                throw new CommandFailure(ExitCode.RunFailed, "The failover has not ended.", $"{status.Summary} {view.Decision}", "Run it again with --verbose and report what it prints.");
            await Task.Delay(TimeSpan.FromMilliseconds(100), Clock, ct);
        }
    }

    private void Say(string text) => terminal.Progress(string.Create(CultureInfo.InvariantCulture, $"{Clock.GetElapsedTime(began).TotalSeconds,7:0.00} s  {text}"));
}

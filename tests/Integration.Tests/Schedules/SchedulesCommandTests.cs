using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.Alerts;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Starter.Demos;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Client.Schedules;

namespace PlatformOps.Integration.Tests.Schedules;

/// <summary>The schedules of an environment, from the specification to Temporal and what they do there.</summary>
public sealed class SchedulesCommandTests : IAsyncLifetime
{
    private const string Schedules = "schedules:\n";

    /// <summary>Those of backups, which production alone declares.</summary>
    private const int Backups = 18;

    private readonly Cli cli = new();
    private BootstrapServerHost server = null!;
    private TemporalClient client = null!;
    private string specification = "";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        // Its time stands still: no full hour starts a run of its own in the middle of a test.
        server = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes, TimeProvider = new FakeTimeProvider(TimeProvider.System.GetUtcNow()) });
        client = await TemporalClient.ConnectAsync(new(server.Address) { DataConverter = PlatformOpsDataConverter.Instance });
        cli["TEMPORAL_ADDRESS"] = server.Address;
        specification = Path.Combine(cli.Home, "specification");
        Directory.CreateDirectory(Path.Combine(specification, "environments"));
        foreach (var file in new[] { "platform.yaml", "environments/production.yaml" })
            File.Copy(Path.Combine(Tools.Root, "examples/reference", file), Path.Combine(specification, file));
        cli["PLATFORMOPS_SPECIFICATION"] = specification;
    }

    public async ValueTask DisposeAsync()
    {
        cli.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Temporal_has_what_is_declared_and_applying_it_again_changes_nothing()
    {
        var planned = await ApplyAsync("--plan", "--exit-code");
        Assert.Equal((10, 6 + Backups, false), (planned.ExitCode, planned.Json.GetProperty("changed").GetInt32(), planned.Json.GetProperty("applied").GetBoolean()));
        Assert.Empty(await IdsAsync());
        Assert.Equal(2, (await ApplyAsync()).ExitCode);

        var applied = await ApplyAsync("--yes");
        Assert.Equal((0, 6 + Backups), (applied.ExitCode, applied.Json.GetProperty("changed").GetInt32()));
        Assert.Equal(["certificates/production", "drift/production", "failover-drill/production", "failover-readiness/production", "secrets/production", "warm-standby/production"], await OthersAsync());
        var drift = await DescribeAsync("drift");
        Assert.Equal(
            (TimeSpan.FromHours(1), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(30), ScheduleOverlapPolicy.Skip),
            (Assert.Single(drift.Spec.Intervals).Every, drift.Spec.Jitter, drift.Policy.CatchupWindow, drift.Policy.Overlap));
        var drill = await client.GetScheduleHandle("failover-drill/production").DescribeAsync();
        Assert.Equal((TaskQueues.Drill, "America/New_York", true), (Start(drill.Schedule).Options.TaskQueue, drill.Schedule.Spec.TimeZoneName, drill.Schedule.Policy.PauseOnFailure));
        Assert.All(drill.Info.NextActionTimes, time => Assert.Equal(10, TimeZoneInfo.ConvertTimeBySystemTimeZoneId(time, "America/New_York").Hour));

        var search = await DescribeAsync("backup-search");
        Assert.Equal(
            (TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(30), ScheduleOverlapPolicy.Skip, BackUpStore.WorkflowId("production", "search")),
            (Assert.Single(search.Spec.Intervals).Every, search.Spec.Jitter, search.Policy.CatchupWindow, search.Policy.Overlap, Start(search).Options.Id));
        Assert.Equal(VerifyBackup.WorkflowId("production", "vault", "us-west-2"), Start(await DescribeAsync("verify-vault-secondary")).Options.Id);

        var again = await ApplyAsync("--yes", "--prune");
        Assert.Equal((0, 0), (again.ExitCode, again.Json.GetProperty("changed").GetInt32()));
        Assert.Equal(0, (await ApplyAsync("--plan", "--exit-code")).ExitCode);
    }

    [Fact]
    public async Task What_is_changed_stays_paused_and_what_is_removed_from_the_specification_is_pruned_alone()
    {
        Assert.Equal(0, (await cli.RunAsync("drift", "schedule", "production", "--every", "3h")).ExitCode);
        Assert.Equal(0, (await cli.RunAsync("drift", "schedule", "staging", "--every", "3h")).ExitCode);
        Assert.Equal(0, (await ApplyAsync("--yes")).ExitCode);
        Assert.Equal(TimeSpan.FromHours(1), Assert.Single((await DescribeAsync("drift")).Spec.Intervals).Every);
        Assert.Equal(0, (await cli.RunAsync("schedules", "pause", "production", "drift", "--reason", "storage moves", "--by", "somebody")).ExitCode);

        await DeclareAsync("schedules:\n  drift: {runbook: DetectDrift, cron: \"15 4 * * mon-fri\", timeZone: Europe/Berlin, overlap: buffer-one, input: {mode: revert}}\n");
        var changed = await ApplyAsync("--yes");
        Assert.Equal((0, 1), (changed.ExitCode, changed.Json.GetProperty("changed").GetInt32()));
        var drift = await DescribeAsync("drift");
        Assert.Equal((true, "Paused by somebody: storage moves", ScheduleOverlapPolicy.BufferOne), (drift.State.Paused, drift.State.Note, drift.Policy.Overlap));
        Assert.Empty(drift.Spec.Intervals);
        Assert.Equal("revert", (await Start(drift).Args.OfType<Temporalio.Converters.IEncodedRawValue>().Single().ToValueAsync<Dictionary<string, string>>())["mode"]);
        Assert.Equal(7 + Backups, (await IdsAsync()).Count);

        var pruned = await ApplyAsync("--yes", "--prune");
        Assert.Equal((0, 5), (pruned.ExitCode, pruned.Json.GetProperty("changed").GetInt32()));
        Assert.Equal(["drift/production", "drift/staging"], await OthersAsync());
    }

    [Fact]
    public async Task Somebody_elses_schedule_of_that_id_is_left_alone_and_nothing_else_is_done()
    {
        await client.CreateScheduleAsync(
            "drift/production", new(ScheduleActionStartWorkflow.Create("Theirs", [], new("theirs", "queue")), new() { Intervals = [new(TimeSpan.FromDays(1))] }));
        var refused = await ApplyAsync("--yes");
        Assert.Equal(6, refused.ExitCode);
        Assert.Contains("it starts Theirs", refused.JsonError.GetProperty("error").GetProperty("why").GetString(), StringComparison.Ordinal);
        Assert.Equal(["drift/production"], await IdsAsync());

        await DeclareAsync("schedules:\n  drift: {runbook: DetectDrift, cron: \"0 5 * * *\", timeZone: Europe/Berlln}\n");
        var wrong = await cli.RunAsync("schedules", "apply", "production", "--yes");
        Assert.Equal(3, wrong.ExitCode);
        Assert.Contains("environments.production.schedules.drift.timeZone: 'Europe/Berlln' is in no time zone database", wrong.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_skipped_because_a_run_goes_on_is_counted_listed_and_a_metric()
    {
        Assert.Equal(0, (await ApplyAsync("--yes")).ExitCode);
        Assert.Equal(0, (await cli.RunAsync("schedules", "trigger", "production", "drift")).ExitCode);
        var started = Assert.IsType<ScheduleActionExecutionStartWorkflow>((await client.GetScheduleHandle("drift/production").DescribeAsync()).Info.RecentActions.Single().Action).WorkflowId;
        Assert.StartsWith($"{DetectDrift.WorkflowId("production")}-2", started, StringComparison.Ordinal);
        Assert.Equal(0, (await cli.RunAsync("schedules", "trigger", "production", "drift")).ExitCode);

        var metrics = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{LocalPorts.Take()}");
        using var worker = cli.Start("worker", "--task-queue", "nothing", "--metrics", metrics);
        var listed = await cli.RunAsync("schedules", "list", "production", "--output", "json");
        var drift = listed.Json.GetProperty("schedules").EnumerateArray().Single(schedule => schedule.GetProperty("id").GetString() == "drift/production");
        Assert.Equal((1, 1, true), (drift.GetProperty("started").GetInt32(), drift.GetProperty("skipped").GetInt32(), drift.GetProperty("declared").GetBoolean()));
        var described = await cli.RunAsync("schedules", "describe", "production", "drift");
        Assert.Contains($"Running: {started} (run ", described.Output, StringComparison.Ordinal);
        using var http = new HttpClient();
        await Wait.UntilAsync(async () => (await ReadAsync(http, metrics)).Split('\n').Any(line =>
            line.StartsWith("platformops_schedule_skipped_runs{", StringComparison.Ordinal) && line.Contains("schedule=\"drift/production\"", StringComparison.Ordinal) && line.EndsWith(" 1", StringComparison.Ordinal)),
            () => $"The skipped run is in no metric:\n{worker.Written}");

        await client.GetWorkflowHandle(started).TerminateAsync();
        var backfilled = await cli.RunAsync("schedules", "backfill", "production", "drift", "--from", "2026-11-25T00:30Z", "--to", "2026-11-25T01:30Z", "--output", "json");
        Assert.Equal((0, "backfilled"), (backfilled.ExitCode, backfilled.Json.GetProperty("outcome").GetString()));
        await Wait.UntilAsync(async () => (await client.GetScheduleHandle("drift/production").DescribeAsync()).Info.NumActions == 2, () => "The backfill has started nothing.");
        Assert.Equal(4, (await cli.RunAsync("schedules", "resume", "production", "none")).ExitCode);
        Assert.Equal(2, (await cli.RunAsync("schedules", "backfill", "production", "drift", "--from", "2026-11-25")).ExitCode);
    }

    private Task<CliResult> ApplyAsync(params string[] more) => cli.RunAsync(["schedules", "apply", "production", .. more, "--output", "json"]);

    private async Task<Schedule> DescribeAsync(string name) => (await client.GetScheduleHandle($"{name}/production").DescribeAsync()).Schedule;

    private static ScheduleActionStartWorkflow Start(Schedule schedule) => (ScheduleActionStartWorkflow)schedule.Action;

    private async Task<IReadOnlyList<string>> OthersAsync() => [.. (await IdsAsync()).Where(id => !id.StartsWith("backup-", StringComparison.Ordinal) && !id.StartsWith("verify-", StringComparison.Ordinal) && !id.StartsWith("retention-", StringComparison.Ordinal))];

    private async Task<IReadOnlyList<string>> IdsAsync()
    {
        var ids = new List<string>();
        await foreach (var schedule in client.ListSchedulesAsync())
            ids.Add(schedule.Id);
        return [.. ids.Order(StringComparer.Ordinal)];
    }

    /// <summary>Puts another section of schedules, the last one of the file, in the place of the declared one.</summary>
    private async Task DeclareAsync(string section)
    {
        var file = Path.Combine(specification, "platform.yaml");
        var text = await File.ReadAllTextAsync(file, Ct);
        await File.WriteAllTextAsync(file, text[..text.IndexOf(Schedules, StringComparison.Ordinal)] + section, Ct);
    }

    private static async Task<string> ReadAsync(HttpClient http, string address)
    {
        try
        {
            return await http.GetStringAsync(new Uri($"http://{address}/metrics"), Ct);
        }
        catch (HttpRequestException)
        {
            return "";
        }
    }
}

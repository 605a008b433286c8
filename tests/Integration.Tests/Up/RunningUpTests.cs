using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Up;

/// <summary>The other commands, and other clients, beside an <c>up</c> in the foreground.</summary>
public sealed class RunningUpTests(RunningUp up) : IClassFixture<RunningUp>
{
    [Fact]
    public void Says_what_runs_where_and_what_to_try()
    {
        Assert.Contains("development is healthy: ", up.Written, StringComparison.Ordinal);
        Assert.Contains($"bootstrap server   {up.Address}", up.Written, StringComparison.Ordinal);
        Assert.Contains($"--kubeconfig {Path.Combine(up.Data, "us-east-1.kubeconfig")}", up.Written, StringComparison.Ordinal);
        Assert.Contains("platformops status development", up.Written, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_up_on_the_same_directory_is_refused_with_who_has_it()
    {
        var refused = await up.RunAsync("up", "--once", "--port", "0");
        Assert.Equal(9, refused.ExitCode);
        Assert.Contains(up.Data, refused.Error, StringComparison.Ordinal);
        Assert.Matches("process [0-9]+, started ", refused.Error);
        Assert.Contains("--data DIR", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_environment_is_refused_because_its_clusters_are_not_here()
    {
        var refused = await up.RunAsync("provision", "staging");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("holds development, not staging", refused.Error, StringComparison.Ordinal);
        Assert.Contains("platformops up staging --data DIR", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_secrets_can_be_read_by_nobody_else()
    {
        await Task.CompletedTask;
        if (OperatingSystem.IsWindows())
            return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(up.Data));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(up.Data, "us-east-1.kubeconfig")));
    }

    [Fact]
    public async Task Plan_finds_no_changes()
    {
        var plan = await up.RunAsync("plan", "development", "--exit-code", "--output", "json");
        Assert.Equal(0, plan.ExitCode);
        var actions = plan.Json.GetProperty("components").EnumerateArray()
            .SelectMany(component => component.GetProperty("objects").EnumerateArray())
            .Select(planned => planned.GetProperty("action").GetString()).Distinct();
        Assert.Equal("none", Assert.Single(actions));
    }

    [Fact]
    public async Task Drift_finds_nothing_and_its_schedule_is_created_once_and_then_changed()
    {
        var drift = await up.RunAsync("drift", "development", "--exit-code", "--output", "json");
        Assert.Equal((0, "asDeclared"), (drift.ExitCode, drift.Json.GetProperty("outcome").GetString()));

        var created = await up.RunAsync("drift", "schedule", "development", "--every", "1h", "--output", "json");
        var changed = await up.RunAsync("drift", "schedule", "development", "--every", "2h", "--output", "json");
        Assert.Equal((true, false), (created.Json.GetProperty("created").GetBoolean(), changed.Json.GetProperty("created").GetBoolean()));
        var client = await TemporalClient.ConnectAsync(new(up.Address));
        var schedule = (await client.GetScheduleHandle("drift/development").DescribeAsync()).Schedule;
        Assert.Equal(TimeSpan.FromHours(2), Assert.Single(schedule.Spec.Intervals).Every);
        Assert.Equal((ScheduleOverlapPolicy.Skip, TimeSpan.FromMinutes(30)), (schedule.Policy.Overlap, schedule.Policy.CatchupWindow));
    }

    [Fact]
    public async Task The_ledger_has_every_object_of_the_plan_and_decommission_plans_to_keep_the_data()
    {
        var ledger = await up.RunAsync("ledger", "development", "--output", "json");
        var plan = await up.RunAsync("decommission", "development", "--plan", "--output", "json");
        var declared = (await up.RunAsync("plan", "development", "--output", "json")).Json.GetProperty("components").EnumerateArray().Sum(component => component.GetProperty("objects").GetArrayLength());

        Assert.Equal((0, 0), (ledger.ExitCode, plan.ExitCode));
        Assert.Equal(declared, ledger.Json.GetProperty("entries").GetArrayLength());
        Assert.Equal("planned", plan.Json.GetProperty("outcome").GetString());
        Assert.Contains(plan.Json.GetProperty("report").GetProperty("kept").EnumerateArray(), kept => kept.GetString()!.Contains("StatefulSet temporal-backend/postgresql: Kept: it is a data store", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_upgrade_is_refused_until_it_is_specified_and_has_nothing_to_do_when_it_runs()
    {
        var early = await up.RunAsync("upgrade", "development", "temporal-frontend", "--version", "9.9.9");
        var done = await up.RunAsync("upgrade", "development", "temporal-frontend", "--output", "json");

        Assert.Equal(8, early.ExitCode);
        Assert.Contains("Field 'version' is 9.9.9, but specification and catalog say", early.Output, StringComparison.Ordinal);
        Assert.Equal((0, "upToDate"), (done.ExitCode, done.Json.GetProperty("outcome").GetString()));
    }

    [Fact]
    public async Task Status_shows_every_component_as_healthy()
    {
        var status = await up.RunAsync("status", "development");
        Assert.Equal(0, status.ExitCode);
        Assert.Contains("temporal-frontend", status.Output, StringComparison.Ordinal);
        Assert.Contains("14 of 14 components healthy", status.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_client_with_plain_json_starts_the_same_runbook()
    {
        var client = await TemporalClient.ConnectAsync(new(up.Address));
        var started = await client.WorkflowService.StartWorkflowExecutionAsync(new StartWorkflowExecutionRequest
        {
            Namespace = "default",
            RequestId = Guid.NewGuid().ToString(),
            WorkflowId = "provision/development",
            WorkflowType = new WorkflowType { Name = "ProvisionEnvironment" },
            TaskQueue = new TaskQueue { Name = "platformops" },
            WorkflowIdConflictPolicy = WorkflowIdConflictPolicy.UseExisting,
            Input = new Payloads { Payloads_ = { new Payload { Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain") }, Data = ByteString.CopyFromUtf8("""{"environment":"development"}""") } } },
        });
        var report = await client.GetWorkflowHandle("provision/development", started.RunId).GetResultAsync<System.Text.Json.JsonElement>();
        Assert.Equal("healthy", report.GetProperty("outcome").GetString());
        Assert.All(report.GetProperty("objects").EnumerateArray(), item => Assert.Equal("unchanged", item.GetProperty("result").GetString()));
    }
}

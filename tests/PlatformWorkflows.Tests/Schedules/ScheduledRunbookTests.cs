using System.Text.Json;
using System.Text.Json.Nodes;
using PlatformOps.Activities;
using PlatformOps.Platform.Schedules;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Scaling;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.PlatformWorkflows.Tests.Schedules;

/// <summary>The table of runbooks that can be scheduled names workflows that it cannot see.</summary>
public class ScheduledRunbookTests
{
    /// <summary>The id of a run that an operator starts, and the largest input that a specification may give.</summary>
    private static readonly Dictionary<string, (string Id, Type Input, string Largest)> Known = new()
    {
        ["DetectDrift"] = (DetectDrift.WorkflowId("production"), typeof(DetectDriftInput), """{"components":["redis"],"mode":"revert","decideWithin":"1h"}"""),
        ["RotateSecrets"] = (RotateSecrets.WorkflowId("production"), typeof(RotateSecretsInput), """{"secrets":["a"],"settle":"1h","proveWithin":"1h"}"""),
        ["RotateCertificates"] = (RotateCertificates.WorkflowId("production"), typeof(RotateCertificatesInput), """{"certificates":["a"],"settle":"1h","proveWithin":"1h"}"""),
        ["FailoverReadiness"] = (FailoverReadiness.WorkflowId("production"), typeof(FailoverReadinessRequest), "{}"),
        ["WarmStandby"] = (WarmStandby.WorkflowId("production"), typeof(WarmStandbyRequest), """{"region":"us-west-2"}"""),
        ["FailoverDrill"] = (RegionFailover.DrillId("production"), typeof(RegionFailoverRequest), """{"scenario":"switchover"}"""),
        ["BackUpDatabase"] = BackUp,
        ["BackUpSearch"] = BackUp,
        ["BackUpClusterState"] = BackUp,
        ["BackUpVault"] = BackUp,
        ["VerifyBackup"] = (VerifyBackup.WorkflowId("production", "vault", "us-west-2"), typeof(VerifyBackupInput), """{"store":"vault","region":"us-west-2","within":"1h"}"""),
        ["ApplyRetention"] = (ApplyRetention.WorkflowId("production", "vault", "us-west-2"), typeof(ApplyRetentionInput), """{"store":"vault","region":"us-west-2"}"""),
    };

    private static (string, Type, string) BackUp => (BackUpStore.WorkflowId("production", "vault", "us-west-2"), typeof(BackUpInput), """{"store":"vault","region":"us-west-2","method":"full","within":"1h"}""");

    public static TheoryData<string> Runbooks => [.. ScheduledRunbook.All.Select(runbook => runbook.Name)];

    [Theory]
    [MemberData(nameof(Runbooks))]
    public void Starts_a_workflow_that_exists_with_the_id_and_the_input_that_it_takes(string name)
    {
        var runbook = ScheduledRunbook.Find(name)!;
        var (id, type, largest) = Known[name];
        Assert.Contains(WorkerRegistration.Workflows, workflow => workflow.Name == runbook.WorkflowType);
        Assert.Equal(id, runbook.RunId("production", JsonNode.Parse(largest)!.AsObject()));

        var schedule = ScheduleSpecification.Of("it", runbook, TimeSpan.FromHours(1), input: JsonNode.Parse(largest)!.AsObject());
        var given = ScheduleForm.InputOf("production", schedule);
        var read = JsonSerializer.SerializeToNode(JsonSerializer.Deserialize(given.ToJsonString(), type, PlatformOpsDataConverter.Json), type, PlatformOpsDataConverter.Json)!.AsObject();
        Assert.All(given, field => Assert.True(JsonNode.DeepEquals(field.Value, read[field.Key]), field.Key));
    }
}

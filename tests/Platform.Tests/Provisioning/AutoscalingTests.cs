using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Tests.Catalog;

namespace PlatformOps.Platform.Tests.Provisioning;

/// <summary>Whose the number of replicas is.</summary>
public sealed class AutoscalingTests
{
    private const string Left = "As wanted. spec.replicas is left to SCALER, which may set 1..10.";

    private static readonly ComponentCatalog Catalog = SmallCatalog.Read(new()
    {
        ["web"] = "name: web",
        ["web/objects.yaml"] = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 3, paused: false}}",
    }).Catalog!;

    public static TheoryData<string, string?, int, PlanPurpose, PlannedAction, string> Cases => new()
    {
        { "kube-controller-manager", "scale", 7, PlanPurpose.Provision, PlannedAction.None, Left },
        { "kube-controller-manager", "scale", 7, PlanPurpose.Revert, PlannedAction.None, Left },
        { "kube-controller-manager", null, 7, PlanPurpose.Upgrade, PlannedAction.None, Left },
        { "keda", null, 1, PlanPurpose.Revert, PlannedAction.None, Left },
        { "some-autoscaler", "scale", 10, PlanPurpose.Revert, PlannedAction.None, Left },
        { "kube-controller-manager", "scale", 3, PlanPurpose.Revert, PlannedAction.None, "As wanted." },
        { "kube-controller-manager", "scale", 11, PlanPurpose.Revert, PlannedAction.Change, "1 field differs." },
        { "kube-controller-manager", "scale", 0, PlanPurpose.Revert, PlannedAction.Change, "1 field differs." },
        { "kube-controller-manager", "scale", 11, PlanPurpose.Provision, PlannedAction.Conflict, "spec.replicas is owned by SCALER. Let its owner give the field up, or specify its value." },
        { "kubectl-edit", null, 7, PlanPurpose.Revert, PlannedAction.Change, "1 field differs." },
        { "kubectl-edit", null, 7, PlanPurpose.Provision, PlannedAction.Conflict, "spec.replicas is owned by SCALER. Let its owner give the field up, or specify its value." },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void It_is_the_autoscalers_within_the_range_and_a_difference_otherwise(string manager, string? subresource, int replicas, PlanPurpose purpose, PlannedAction action, string reason)
    {
        var planned = Planned(Live(replicas, Writer(manager, subresource)), purpose);

        Assert.Equal((action, reason.Replace("SCALER", manager, StringComparison.Ordinal)), planned is null ? (PlannedAction.None, reason.Replace("SCALER", manager, StringComparison.Ordinal)) : (planned.Action, planned.Reason));
        Assert.Equal(action == PlannedAction.None && purpose == PlanPurpose.Revert, planned is null);
    }

    [Fact]
    public void Without_a_range_it_is_a_difference_whoever_wrote_it() =>
        Assert.Equal(PlannedAction.Change, Planned(Live(7, Writer("kube-controller-manager", "scale")), PlanPurpose.Revert, ranges: [])!.Action);

    [Fact]
    public void What_somebody_else_owns_too_is_not_the_autoscalers() => Assert.Equal(
        PlannedAction.Change, Planned(Live(7, Writer("kube-controller-manager", "scale"), Writer("kubectl-edit", null)), PlanPurpose.Revert)!.Action);

    [Fact]
    public void Another_field_is_changed_and_the_number_of_replicas_is_not_even_sent()
    {
        var live = Live(7, Writer("kube-controller-manager", "scale"));
        live["spec"]!["paused"] = true;

        var planned = Planned(live, PlanPurpose.Provision)!;

        Assert.Equal(("spec.paused", "1 field differs. spec.replicas is left to kube-controller-manager, which may set 1..10."), (planned.Changes.Single().Path, planned.Reason));
        var desired = ManifestRenderer.Render(Environment([Range]), Catalog.Find("web")!, TestEnvironment.Region).Single();
        Assert.Null(Autoscaling.Yield(desired, live, Environment([Range]), "web").Manifest["spec"]!["replicas"]);
    }

    [Fact]
    public void That_it_scales_again_between_plan_and_act_is_no_other_plan()
    {
        var (before, after) = (Step(Live(7, Writer("kube-controller-manager", "scale"))), Step(Live(9, Writer("kube-controller-manager", "scale"))));

        Assert.Empty(PlanComparison.Compare(before, after, "op-1", _ => true).Differences);
        Assert.Equal(before.Objects[0].ObservedFingerprint, after.Objects[0].ObservedFingerprint);
    }

    [Theory]
    [InlineData("db.r6g.xlarge", "platformops-scaling", PlannedAction.None, "As wanted. spec.instanceClass is left to platformops-scaling, which may choose db.r6g.large, db.r6g.xlarge.")]
    [InlineData("db.r6g.large", "platformops-scaling", PlannedAction.None, "As wanted.")]
    [InlineData("db.m6g.large", "platformops-scaling", PlannedAction.Conflict, "spec.instanceClass is owned by platformops-scaling. Let its owner give the field up, or specify its value.")]
    [InlineData("db.r6g.xlarge", null, PlannedAction.Change, "1 field differs. RDS begins at once, not in the maintenance window, and restarts the instance: clients wait for minutes.")]
    public void The_class_of_a_managed_database_is_the_scalings_among_those_of_the_specification(string there, string? manager, PlannedAction action, string reason)
    {
        var catalog = SmallCatalog.Read(new()
        {
            ["web"] = "name: web",
            ["web/objects.yaml"] = "{apiVersion: aws.platformops.io/v1, kind: DatabaseInstance, metadata: {name: web}, spec: {instanceClass: db.r6g.large}}",
        }).Catalog!;
        var owner = manager is null ? "" : $"{{manager: {manager}, fieldsV1: {{\"f:spec\": {{\"f:instanceClass\": {{}}}}}}}}";
        var live = (JsonObject)YamlText.Parse($$"""
            apiVersion: aws.platformops.io/v1
            kind: DatabaseInstance
            metadata:
              name: web
              uid: u1
              labels: {ours: web}
              managedFields: [{{owner}}]
            spec: {instanceClass: {{there}}}
            """)!;
        var environment = SmallCatalog.Environment(catalog) with { Classes = [new("web", ["db.r6g.large", "db.r6g.xlarge"])] };

        var planned = ProvisioningPlanner.Plan(environment, catalog, [TestEnvironment.Observation([TestEnvironment.Observed(live)])], ["web"]).Components.Single().Objects[0];

        Assert.Equal((action, reason), (planned.Action, planned.Reason));
    }

    private static ScalingRange Range => new("web", 1, 10);

    private static PlannedObject? Planned(JsonObject live, PlanPurpose purpose, IReadOnlyList<ScalingRange>? ranges = null) =>
        ProvisioningPlanner.Plan(Environment(ranges ?? [Range]), Catalog, [TestEnvironment.Observation([TestEnvironment.Observed(live)])], ["web"], purpose).Components.SingleOrDefault()?.Objects[0];

    private static PlannedComponent Step(JsonObject live) =>
        ProvisioningPlanner.Plan(Environment([Range]), Catalog, [TestEnvironment.Observation([TestEnvironment.Observed(live)])]).Components.Single();

    private static EnvironmentSpecification Environment(IReadOnlyList<ScalingRange> ranges) => SmallCatalog.Environment(Catalog) with { Scaling = ranges };

    private static JsonObject Live(int replicas, params string[] writers) => (JsonObject)YamlText.Parse($$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
          namespace: security
          uid: u1
          labels: {ours: web}
          managedFields: [{{string.Join(", ", writers)}}]
        spec: {replicas: {{replicas}}, paused: false}
        """)!;

    private static string Writer(string manager, string? subresource) =>
        $"{{manager: {manager}, operation: Update{(subresource is null ? "" : $", subresource: {subresource}")}, fieldsV1: {{\"f:spec\": {{\"f:replicas\": {{}}}}}}}}";
}

using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Tests.Provisioning;

/// <summary>Acting observes again. Where this very operation was interrupted it may go on; where somebody else changed a fact it must not.</summary>
public class PlanComparisonTests
{
    private const string Operation = "op-1";

    /// <summary>The objects of the component: two to create, one to change, one as wanted. <c>old</c> is to be removed.</summary>
    private static readonly string[] Names = ["new-1", "new-2", "changed", "same", "old"];

    private static readonly EnvironmentSpecification Environment = TestEnvironment.Of(mayDestroy: true, [new() { Name = "redis", Parameters = [] }]);
    private static readonly ComponentDefinition Redis = Catalog().Find("redis")!;
    private static readonly PlannedComponent Approved = Plan(World([]));

    /// <summary>Every subset of the five objects, as the bits of a number.</summary>
    public static TheoryData<int> Interruptions => [.. Enumerable.Range(0, 1 << Names.Length)];

    public static TheoryData<string, string> ForeignChanges => new()
    {
        { "new-1 was created by somebody", "us-east-1 ConfigMap temporal-backend/new-1 was planned as: create (It does not exist.); now it is: conflict (It exists and belongs to Helm." },
        { "new-1 was created with our labels and other content", "new-1 was planned as: create (It does not exist.); now it is: change data.level debug -> info" },
        { "changed was changed", "changed was planned as: change data.level warn -> info; now it is: change data.level debug -> info" },
        { "changed was removed", "changed was planned as: change data.level warn -> info; now it is: create (It does not exist.)" },
        { "changed was removed and made again", "changed was planned as: change data.level warn -> info; now it is: change data.level warn -> info" },
        { "changed was taken over", "changed was planned as: change data.level warn -> info; now it is: conflict (It exists and belongs to Helm." },
        { "changed is being deleted", "changed was planned as: change data.level warn -> info; now it is: conflict (It is being deleted." },
        { "same was changed", "same was planned as: nothing to do (As wanted.); now it is: change data.level debug -> info" },
        { "same was removed", "same was planned as: nothing to do (As wanted.); now it is: create (It does not exist.)" },
        { "same was taken over", "same was planned as: nothing to do (As wanted.); now it is: conflict (It exists and belongs to Helm." },
        { "old was made again", "old was planned as: remove (It is ours and no longer declared.); now it is: remove (It is ours and no longer declared.)" },
        { "another of ours appeared", "another is not in the plan of op-1, and would now be: remove (It is ours and no longer declared.)" },
    };

    [Fact]
    public void The_plan_has_every_kind_of_action() => Assert.Equal(
        [PlannedAction.Create, PlannedAction.Create, PlannedAction.Change, PlannedAction.None, PlannedAction.Prune],
        Approved.Objects.Select(planned => planned.Action));

    [Theory]
    [MemberData(nameof(Interruptions))]
    public void Goes_on_from_every_state_in_which_the_operation_can_have_been_interrupted(int applied)
    {
        var world = World([.. Names.Where((_, index) => (applied & (1 << index)) != 0)]);

        Assert.Empty(PlanComparison.Compare(Approved, Plan(world), Operation, _ => false).Differences);
    }

    [Theory]
    [MemberData(nameof(ForeignChanges))]
    public void Refuses_and_says_what_differs_when_somebody_else_changed_a_fact(string what, string difference)
    {
        // Whatever else this operation has already done: the foreign change is seen in each of these states.
        var target = what.Split(' ')[0];
        var others = Names.Where(name => name != target).ToList();
        foreach (var applied in Enumerable.Range(0, 1 << others.Count))
        {
            var world = World([.. others.Where((_, index) => (applied & (1 << index)) != 0)]);
            Change(world, what);

            var found = Assert.Single(PlanComparison.Compare(Approved, Plan(world), Operation, _ => false).Differences);
            Assert.Contains(difference, found, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Refuses_when_the_specification_wants_something_else_by_now()
    {
        var wanted = Approved with { Objects = [.. Approved.Objects.Select(planned => planned with { DesiredFingerprint = "0123456789abcdef" })] };

        var differences = PlanComparison.Compare(wanted, Plan(World([])), Operation, _ => false).Differences;

        Assert.Contains("us-east-1 ConfigMap temporal-backend/new-1 is now wanted otherwise than in the plan of op-1", differences);
    }

    [Fact]
    public void Completes_what_an_attempt_left_half_changed_or_half_created_and_nothing_else()
    {
        var (one, two, other) = (new FieldChange("spec.a", "1", "2"), new FieldChange("spec.b", "1", "2"), new FieldChange("spec.b", "9", "2"));
        var approved = Approved with { Objects = [Left(PlannedAction.Change, one, two)] };
        var create = Approved with { Objects = [Left(PlannedAction.Create)] };

        Assert.Empty(Differences(approved, Left(PlannedAction.Change, two), own: false));
        Assert.NotEmpty(Differences(approved, Left(PlannedAction.Change, other), own: false));
        Assert.NotEmpty(Differences(approved, Left(PlannedAction.Change, one, other), own: false));
        Assert.Empty(Differences(create, Left(PlannedAction.Change, one), own: true));
        Assert.NotEmpty(Differences(create, Left(PlannedAction.Change, one), own: false));
        Assert.NotEmpty(Differences(create, Left(PlannedAction.Conflict, one), own: true));

        static IReadOnlyList<string> Differences(PlannedComponent approved, PlannedObject seen, bool own) =>
            PlanComparison.Compare(approved, approved with { Objects = [seen] }, Operation, _ => own).Differences;

        PlannedObject Left(PlannedAction action, params FieldChange[] changes) => Approved.Objects[0] with
        {
            Action = action,
            Changes = changes,
            ObservedFingerprint = string.Join(',', changes.Select(change => change.Path + change.From)),
        };
    }

    [Fact]
    public void Does_not_mind_status_and_fields_that_are_not_declared()
    {
        var world = World([]);
        world["changed"]["status"] = new JsonObject { ["seen"] = true };
        world["changed"]["metadata"]!["resourceVersion"] = "99";
        world["same"]["data"]!["note"] = "by hand";

        Assert.Empty(PlanComparison.Compare(Approved, Plan(world), Operation, _ => false).Differences);
    }

    private static PlannedComponent Plan(Dictionary<string, JsonObject> world) => ProvisioningPlanner.PlanComponent(
        Environment, Redis, TestEnvironment.Observation([.. world.Values.Select(TestEnvironment.Observed)]), TestEnvironment.Region);

    /// <summary>The world as it was observed, with these objects already as the operation leaves them.</summary>
    private static Dictionary<string, JsonObject> World(IReadOnlyList<string> applied)
    {
        var world = new Dictionary<string, JsonObject> { ["changed"] = Live("changed", "warn"), ["same"] = Live("same", "info"), ["old"] = Live("old", "info") };
        foreach (var name in applied)
        {
            if (name == "old")
                world.Remove(name);
            else
                world[name] = Applied(world.GetValueOrDefault(name) ?? Live(name, "info"));
        }

        return world;
    }

    private static JsonObject Applied(JsonObject live)
    {
        live["data"]!["level"] = "info";
        live["metadata"]!["annotations"] = new JsonObject { [Ownership.OperationIdAnnotation] = Operation, [Ownership.CreatedByAnnotation] = Operation };
        return live;
    }

    private static void Change(Dictionary<string, JsonObject> world, string what)
    {
        switch (what)
        {
            case "new-1 was created by somebody":
                world["new-1"] = Live("new-1", "info", owner: null);
                break;
            case "new-1 was created with our labels and other content":
                world["new-1"] = Live("new-1", "debug");
                break;
            case "changed was changed" or "same was changed":
                world[what.Split(' ')[0]]["data"]!["level"] = "debug";
                break;
            case "changed was removed" or "same was removed":
                world.Remove(what.Split(' ')[0]);
                break;
            case "changed was removed and made again" or "old was made again":
                world[what.Split(' ')[0]]["metadata"]!["uid"] = "another";
                break;
            case "changed was taken over" or "same was taken over":
                world[what.Split(' ')[0]]["metadata"]!["labels"] = new JsonObject { [Ownership.ManagedByLabel] = "Helm" };
                break;
            case "changed is being deleted":
                world["changed"]["metadata"]!["deletionTimestamp"] = "2026-01-01T00:00:00Z";
                break;
            case "another of ours appeared":
                world["another"] = Live("another", "info");
                break;
            default:
                throw new ArgumentException(what, nameof(what));
        }
    }

    private static JsonObject Live(string name, string level, string? owner = "redis") => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = "temporal-backend",
            ["uid"] = $"uid-of-{name}",
            ["labels"] = owner is null ? new JsonObject { [Ownership.ManagedByLabel] = "Helm" } : new JsonObject { ["ours"] = owner },
        },
        ["data"] = new JsonObject { ["level"] = level },
    };

    private static ComponentCatalog Catalog() => CatalogReader.Read(new Dictionary<string, string>
    {
        ["redis/component.yaml"] = "{name: redis, summary: A cache., plane: test, namespace: temporal-backend, health: [], manifests: [objects.yaml]}",
        ["redis/objects.yaml"] = string.Join("\n---\n", Names.Where(name => name != "old").Select(name => $"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{level: info}}}}")),
    }).Catalog!;
}

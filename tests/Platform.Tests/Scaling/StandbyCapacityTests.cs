using System.Text.Json.Nodes;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Tests.Scaling;

/// <summary>Whether one region could carry what another one carries.</summary>
public sealed class StandbyCapacityTests
{
    private static readonly NodeClassSpecification Backend = new("backend", 2, new Dictionary<string, string> { ["tier"] = "backend" }, "cpu-optimized", Tainted: false);

    [Fact]
    public void Room_for_what_the_serving_region_has_more_of_is_enough()
    {
        var verdict = Judge([Node("a", "4"), Node("b", "4")], [Workload("history", serving: 5, standing: 3, cpu: "2")], pods: [Pod("a", "2"), Pod("a", "2"), Pod("b", "1")]);

        Assert.Equal((false, 1), (verdict.Enough, verdict.Shortfalls.Count));
        Assert.Contains("history runs 5 there and 3 here, and 1 of 2 more find room (each wants 2 CPU and 0 MiB, and no more fit onto the 2 nodes that may take them)", verdict.Summary, StringComparison.Ordinal);
        Assert.True(Judge([Node("a", "4"), Node("b", "5")], [Workload("history", serving: 5, standing: 3, cpu: "2")], pods: [Pod("a", "2"), Pod("a", "2"), Pod("b", "1")]).Enough);
    }

    [Fact]
    public void Workloads_share_the_room_and_do_not_each_have_all_of_it()
    {
        var (frontend, history) = (Workload("frontend", 2, 0, "1"), Workload("history", 1, 0, "3"));

        Assert.True(Judge([Node("a", "3"), Node("b", "2")], [frontend, history]).Enough);
        // One CPU less: whichever is placed, the other one lacks it.
        Assert.False(Judge([Node("a", "3"), Node("b", "1")], [frontend, history]).Enough);
        Assert.True(Judge([Node("a", "3"), Node("b", "1")], [frontend]).Enough);
    }

    [Fact]
    public void A_quota_is_used_up_by_all_workloads_of_its_namespace()
    {
        var quota = new JsonObject { ["metadata"] = new JsonObject { ["namespace"] = "shop" }, ["spec"] = new JsonObject { ["hard"] = new JsonObject { ["requests.cpu"] = "4" } }, ["status"] = new JsonObject { ["used"] = new JsonObject { ["requests.cpu"] = "1500m" } } };

        Assert.True(Judge([Node("a", "100"), Node("b", "100")], [Workload("web", 1, 0, "1"), Workload("jobs", 1, 0, "1")], quotas: [quota]).Enough);
        var verdict = Judge([Node("a", "100"), Node("b", "100")], [Workload("web", 2, 0, "1"), Workload("jobs", 1, 0, "1")], quotas: [quota]);
        Assert.False(verdict.Enough);
        Assert.Contains("quotas of shop allow no more", verdict.Summary, StringComparison.Ordinal);
        // It was only read.
        Assert.Equal("1500m", (string?)quota["status"]!["used"]!["requests.cpu"]);
    }

    [Fact]
    public void Reserved_nodes_that_are_away_are_missing_even_when_everything_would_fit()
    {
        var verdict = Judge([Node("a", "100"), Node("b", "100", ready: false)], []);

        Assert.False(verdict.Enough);
        Assert.Equal(["1 of 2 nodes of class backend are ready"], verdict.Shortfalls);
    }

    [Fact]
    public void What_is_unknown_is_never_enough_and_what_is_missing_is_said_all_the_same()
    {
        Assert.Null(Judge([], []).Enough);
        Assert.Null(Judge([Node("a", "9"), Node("b", "9")], [], unknown: ["Deployment shop/web is not in us-west-2"]).Enough);
        var verdict = Judge([Node("a", "9")], [], unknown: ["Deployment shop/web is not in us-west-2"]);
        Assert.False(verdict.Enough);
        Assert.EndsWith("Not known besides: Deployment shop/web is not in us-west-2.", verdict.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void More_in_the_standby_than_in_the_serving_region_lacks_nothing() =>
        Assert.True(Judge([Node("a", "1"), Node("b", "1")], [Workload("web", serving: 1, standing: 5, cpu: "9")]).Enough);

    private static StandbyVerdict Judge(JsonObject[] nodes, StandbyWorkload[] workloads, JsonObject[]? pods = null, JsonObject[]? quotas = null, string[]? unknown = null) =>
        StandbyCapacity.Judge(new("us-west-2", "us-east-1", [Backend], workloads, nodes, pods ?? [], quotas ?? [], unknown ?? []));

    private static StandbyWorkload Workload(string name, int serving, int standing, string cpu) => new(name, "shop", serving, standing, new JsonObject { ["spec"] = Spec(cpu) });

    private static JsonObject Node(string name, string cpu, bool ready = true) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { ["tier"] = "backend" } },
        ["status"] = new JsonObject { ["allocatable"] = new JsonObject { ["cpu"] = cpu, ["memory"] = "64Gi" }, ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = ready ? "True" : "False" }) },
    };

    private static JsonObject Pod(string node, string cpu)
    {
        var spec = Spec(cpu);
        spec["nodeName"] = node;
        return new() { ["spec"] = spec, ["status"] = new JsonObject { ["phase"] = "Running" } };
    }

    private static JsonObject Spec(string cpu) => new() { ["containers"] = new JsonArray(new JsonObject { ["resources"] = new JsonObject { ["requests"] = new JsonObject { ["cpu"] = cpu } } }) };
}

using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Provisioning.Preflight;

namespace PlatformOps.Platform.Tests.Provisioning;

public sealed class QuotaCheckTests
{
    private const string Web = "{replicas: 4, template: {spec: {containers: [{name: a, resources: {requests: {cpu: 250m, memory: 1Gi}, limits: {cpu: 1}}}], initContainers: [{name: i, resources: {requests: {cpu: 300m}}}]}}}";
    private const string Store = "{replicas: 3, template: {spec: {containers: [{name: a}]}}, volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: 10Gi}}}}]}";

    [Theory]
    [InlineData("pods", "6", "limits pods to 6; 0 are in use and this plan needs 7 more, 1 too many (Deployment web 4, StatefulSet store 3)")]
    [InlineData("pods", "7", null)]
    [InlineData("requests.cpu", "1100m", "limits requests.cpu to 1.1; 0 are in use and this plan needs 1.2 more, 0.1 too many (Deployment web 1.2)")]
    [InlineData("requests.cpu", "1200m", null)]
    [InlineData("memory", "3Gi", "limits memory to 3Gi; 0Gi are in use and this plan needs 4Gi more, 1Gi too many (Deployment web 4Gi)")]
    [InlineData("limits.cpu", "4", null)]
    [InlineData("requests.storage", "29Gi", "limits requests.storage to 29Gi; 0Gi are in use and this plan needs 30Gi more, 1Gi too many (StatefulSet store 30Gi)")]
    [InlineData("persistentvolumeclaims", "2", "limits persistentvolumeclaims to 2; 0 are in use and this plan needs 3 more, 1 too many (StatefulSet store 3)")]
    [InlineData("count/secrets", "0", null)]
    public void What_is_planned_has_to_fit_into_a_declared_quota(string resource, string hard, string? problem)
    {
        var problems = QuotaCheck.Problems([Desired("Deployment", "web", Web), Desired("StatefulSet", "store", Store), Desired("ResourceQuota", "quota", Hard(resource, hard))], [], [], []);
        if (problem is null)
            Assert.Empty(problems);
        else
            Assert.Equal($"us-east-1 ResourceQuota data/quota {problem}. Raise the quota, or ask for less.", Assert.Single(problems));
    }

    [Fact]
    public void What_is_there_already_is_not_counted_twice()
    {
        var quota = Live("ResourceQuota", "quota", $"{{spec: {Hard("pods", "5")}, status: {{used: {{pods: 4}}}}}}");

        Assert.Empty(QuotaCheck.Problems([Desired("Deployment", "web", Web)], [Live("Deployment", "web", $"{{spec: {Web}}}")], [quota], []));
        Assert.Empty(QuotaCheck.Problems([Desired("Deployment", "web", Web.Replace("4", "5", StringComparison.Ordinal))], [Live("Deployment", "web", $"{{spec: {Web}}}")], [quota], []));
        Assert.Contains("4 are in use and this plan needs 2 more, 1 too many", Assert.Single(
            QuotaCheck.Problems([Desired("Deployment", "web", Web.Replace("4", "6", StringComparison.Ordinal))], [Live("Deployment", "web", $"{{spec: {Web}}}")], [quota], [])), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, null)]
    [InlineData(1, "30Gi are in use and this plan needs 20Gi more, 10Gi too many (StatefulSet store 20Gi)")]
    public void Claims_that_a_StatefulSet_left_behind_are_in_use_already_and_taken_again(int left, string? problem)
    {
        var quota = Live("ResourceQuota", "quota", $"{{spec: {Hard("requests.storage", "40Gi")}, status: {{used: {{requests.storage: 30Gi}}}}}}");
        // One of another StatefulSet makes no room.
        var claims = Enumerable.Range(0, left).Select(ordinal => Live("PersistentVolumeClaim", $"data-store-{ordinal}", "{}")).Append(Live("PersistentVolumeClaim", "data-other-2", "{}"));

        var problems = QuotaCheck.Problems([Desired("StatefulSet", "store", Store)], [], [quota], [.. claims]);
        if (problem is null)
            Assert.Empty(problems);
        else
            Assert.Contains(problem, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_declared_quota_counts_as_it_will_be()
    {
        var old = Live("ResourceQuota", "quota", $"{{spec: {Hard("pods", "1")}, status: {{used: {{pods: 0}}}}}}");
        Assert.Empty(QuotaCheck.Problems([Desired("Deployment", "web", Web), Desired("ResourceQuota", "quota", Hard("pods", "4"))], [], [old], []));
    }

    [Fact]
    public void A_plan_that_takes_nothing_more_is_not_refused_for_a_quota_that_is_exceeded_already()
    {
        var quota = Live("ResourceQuota", "quota", $"{{spec: {Hard("pods", "2")}, status: {{used: {{pods: 4}}}}}}");
        Assert.Empty(QuotaCheck.Problems([Desired("Deployment", "web", Web)], [Live("Deployment", "web", $"{{spec: {Web}}}")], [quota], []));
    }

    private static string Hard(string resource, string amount) => $"{{hard: {{{resource}: \"{amount}\"}}}}";

    private static ResourceAddress Address(string kind, string name) => new("us-east-1", kind is "Deployment" or "StatefulSet" ? "apps/v1" : "v1", kind, "data", name);

    private static DesiredObject Desired(string kind, string name, string spec) => new(Address(kind, name), new JsonObject { ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = YamlText.Parse(spec) });

    private static ObservedObject Live(string kind, string name, string fields)
    {
        var manifest = (JsonObject)YamlText.Parse(fields)!;
        manifest["kind"] = kind;
        return new(Address(kind, name), manifest);
    }
}

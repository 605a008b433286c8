using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Quotas;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class QuotaTests(Clusters clusters)
{
    [Theory, OnEveryCluster]
    public async Task A_quota_says_what_is_used_and_lets_pods_in(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Quotas, space, """
            metadata: {name: quota}
            spec: {hard: {pods: "5", requests.cpu: "4", requests.memory: 1Gi, persistentvolumeclaims: "2", requests.storage: 10Gi, count/deployments.apps: "3"}}
            """);
        await cluster.CreateAsync(Resources.Claims, space, "{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 3Gi}}}}");
        await cluster.CreateAsync(Resources.Deployments, space, DeploymentTests.Web.Replace("image: \"web:1\"", "image: \"web:1\", resources: {requests: {cpu: 500m, memory: 64Mi}}"));
        await cluster.UntilAsync(Resources.Deployments, space, "web", DeploymentTests.IsRolledOut(3));

        var quota = await cluster.UntilAsync(Resources.Quotas, space, "quota", quota => quota.Status.At("used").Text("pods") == "3");

        string? Used(string resource) => quota.Status.At("used").Text(resource);
        Assert.Equal(("1500m", "192Mi", "1", "3Gi", "1"),
            (Used("requests.cpu"), Used("requests.memory"), Used("persistentvolumeclaims"), Used("requests.storage"), Used("count/deployments.apps")));

        await cluster.PatchAsync(Resources.Deployments, space, "web", "spec: {replicas: 1}");
        await cluster.UntilAsync(Resources.Quotas, space, "quota", quota => quota.Status.At("used").Text("requests.cpu") == "500m");
    }

    [Theory]
    [InlineData("500m", 0.5, false, "500m")]
    [InlineData("2", 2, false, "2")]
    [InlineData("64Mi", 67108864, true, "64Mi")]
    [InlineData("1500M", 1500000000, true, "1500000000")]
    [InlineData("1024Mi", 1073741824, true, "1Gi")]
    [InlineData("0", 0, true, "0")]
    [InlineData("nonsense", 0, false, "0")]
    public void Amounts_are_read_and_written_as_Kubernetes_does(string text, double amount, bool binary, string written)
    {
        Assert.Equal((decimal)amount, Quantity.Read(text));
        Assert.Equal(written, Quantity.Write(Quantity.Read(text), binary));
    }
}

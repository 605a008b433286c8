using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class TrafficTests(Clusters clusters)
{
    private const string Service = """
        metadata: {name: web}
        spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
        """;

    private static readonly string Web = DeploymentTests.Web.Replace("replicas: 3", "replicas: 2")
        .Replace("image: \"web:1\"", "image: \"web:1\", ports: [{name: http, containerPort: 8080}]");

    [Theory, OnEveryCluster]
    public async Task Endpoints_are_the_ready_pods_with_their_named_port(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        cluster.Misbehaviours[(space, "web")] = MisbehaviourKind.ImagePull;
        await cluster.CreateAsync(Resources.Services, space, Service);
        await cluster.CreateAsync(Resources.Deployments, space, Web);
        await cluster.UntilAsync(async () => (await cluster.PodsAsync(space)).Count(pod => pod.Status.Items("containerStatuses").Any()) == 2);
        await cluster.UntilAsync(Resources.Endpoints, space, "web", endpoints => !Addresses(endpoints).Any());

        cluster.Misbehaviours.TryRemove((space, "web"), out _);
        var ready = await cluster.UntilAsync(Resources.Endpoints, space, "web", endpoints => Addresses(endpoints).Count() == 2);

        var pods = await cluster.PodsAsync(space);
        Assert.Equal(pods.Select(pod => pod.Status.Text("podIP")).Order(), Addresses(ready).Select(address => address.Text("ip")).Order());
        var port = Assert.Single(Assert.Single(ready.Body.Items("subsets")).Items("ports"));
        Assert.Equal(("http", 8080), (port.Text("name"), port.Number("port")));

        await cluster.PatchAsync(Resources.Deployments, space, "web", "spec: {replicas: 0}");
        await cluster.UntilAsync(Resources.Endpoints, space, "web", endpoints => !Addresses(endpoints).Any());
    }

    [Theory, OnEveryCluster]
    public async Task Slices_say_the_same_where_the_server_has_them(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        await cluster.CreateAsync(Resources.Services, space, Service);
        await cluster.CreateAsync(Resources.Deployments, space, Web);
        await cluster.UntilAsync(Resources.Endpoints, space, "web", endpoints => Addresses(endpoints).Count() == 2);
        if (!(await Discovery.ReadAsync(cluster.Client, default)).Contains(Resources.EndpointSlices))
            return;

        await cluster.UntilAsync(async () => (await cluster.ListAsync(Resources.EndpointSlices, space)).SelectMany(slice => slice.Body.Items("endpoints")).Count() == 2);
        var slice = Assert.Single(await cluster.ListAsync(Resources.EndpointSlices, space));
        Assert.Equal("web", slice.Labels.Text("kubernetes.io/service-name"));
        Assert.All(slice.Body.Items("endpoints"), endpoint => Assert.True(endpoint.At("conditions").Flag("ready")));
        Assert.Equal(8080, Assert.Single(slice.Body.Items("ports")).Number("port"));
    }

    [Theory, OnEveryCluster]
    public async Task Endpoints_go_with_their_Service(string target)
    {
        var cluster = await clusters.LiveAsync(target);
        var space = await cluster.NamespaceAsync();
        var service = await cluster.CreateAsync(Resources.Services, space, Service);
        await cluster.UntilAsync(Resources.Endpoints, space, "web", _ => true);

        await cluster.Client.DeleteAsync(service, "Background", null, default);

        await cluster.UntilAsync(async () => await cluster.Client.FindAsync(Resources.Endpoints, space, "web", default) is null);
    }

    private static IEnumerable<JsonNode> Addresses(ClusterObject endpoints) => endpoints.Body.Items("subsets").SelectMany(subset => subset.Items("addresses"));
}

using System.Net;
using System.Net.Sockets;
using PlatformOps.Sandbox.Behaviours;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Traffic;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class ServiceForwarderTests : IDisposable
{
    private readonly TcpListener _echo = new(IPAddress.Loopback, 0);

    [Fact]
    public async Task Forwards_while_an_endpoint_is_ready_and_cuts_when_the_last_one_goes()
    {
        _echo.Start();
        var echoing = EchoAsync();
        await using var cluster = await Clusters.NewAsync(Clusters.StandIn);
        var space = await cluster.NamespaceAsync();
        await using var behaviours = await ClusterBehaviours.StartAsync(cluster.Options(timeScale: 0), default);
        await using var forwarder = await ServiceForwarder.StartAsync(behaviours, space, "web", _echo.LocalEndpoint.ToString()!);
        Assert.False(await AnswersAsync(forwarder.Address));

        await cluster.CreateAsync(Resources.Services, space, "{metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}");
        await cluster.CreateAsync(Resources.Deployments, space, DeploymentTests.Web);
        await cluster.UntilAsync(() => AnswersAsync(forwarder.Address));
        using var open = await ConnectAsync(forwarder.Address);
        Assert.True(await EchoesAsync(open));

        await cluster.PatchAsync(Resources.Deployments, space, "web", "spec: {replicas: 0}");
        Assert.Equal(0, await ReadToEndAsync(open));
        await cluster.UntilAsync(async () => !await AnswersAsync(forwarder.Address));

        await cluster.PatchAsync(Resources.Deployments, space, "web", "spec: {replicas: 1}");
        await cluster.UntilAsync(() => AnswersAsync(forwarder.Address));
        _echo.Stop();
        await echoing;
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("host:")]
    [InlineData("host:99999")]
    public async Task A_target_that_is_no_address_is_named(string target)
    {
        await using var cluster = await Clusters.NewAsync(Clusters.StandIn);
        await using var behaviours = await ClusterBehaviours.StartAsync(cluster.Options(), default);

        var refused = await Assert.ThrowsAsync<ArgumentException>(() => ServiceForwarder.StartAsync(behaviours, "space", "web", target));

        Assert.Contains($"space/web is \"{target}\"", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _echo.Dispose();

    private async Task EchoAsync()
    {
        try
        {
            while (true)
            {
                var client = await _echo.AcceptTcpClientAsync();
                _ = client.GetStream().CopyToAsync(client.GetStream()).ContinueWith(_ => client.Dispose(), TaskScheduler.Default);
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The end of the test.
        }
    }

    private static async Task<TcpClient> ConnectAsync(string address)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPEndPoint.Parse(address));
        return client;
    }

    private static async Task<bool> AnswersAsync(string address)
    {
        try
        {
            using var client = await ConnectAsync(address);
            return await EchoesAsync(client);
        }
        catch (SocketException)
        {
            // Reset as soon as it was made.
            return false;
        }
    }

    private static async Task<bool> EchoesAsync(TcpClient client)
    {
        try
        {
            await client.GetStream().WriteAsync(new byte[] { 42 });
            return await client.GetStream().ReadAsync(new byte[1]) == 1;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task<int> ReadToEndAsync(TcpClient client)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromMinutes(3));
        }
        catch (IOException)
        {
            return 0;
        }
    }
}

using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>The witness as a Lease.</summary>
public abstract class KubernetesWitnessTests(TestCluster cluster) : WitnessTests, IAsyncLifetime
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private ApiProxy proxy = null!;
    private KubernetesConnection connection = null!;
    private string lease = "";

    private HttpClient Client { get; } = new(new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator });

    public async ValueTask InitializeAsync()
    {
        proxy = await cluster.ProxyAsync();
        var connections = new PlatformConnections { Regions = new Dictionary<string, RegionConnection> { ["eu-central-1"] = new() { Kubeconfig = cluster.Kubeconfig(proxy.Address, proxy.Token) } } };
        connection = KubernetesConnection.Open(connections, "eu-central-1", "test");
    }

    public async ValueTask DisposeAsync()
    {
        connection?.Dispose();
        Client.Dispose();
        if (proxy is not null)
            await proxy.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_write_whose_answer_was_lost_is_unknown_and_reading_tells()
    {
        var clock = new FakeTimeProvider();
        var witness = await NewAsync(clock);
        var first = new WitnessRecord(1, "us-east-1", "first", null, null);
        using var givenUp = new ManualResetEventSlim();
        var carriedOut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        proxy.Answered = call =>
        {
            if (call.Method != "POST")
                return;
            // The answer comes after everybody has stopped waiting for it.
            carriedOut.SetResult();
            givenUp.Wait(Ct);
        };

        var writing = witness.WriteAsync(first, version: null, Ct);
        await carriedOut.Task;
        clock.Advance(Timeout);
        var failure = await Assert.ThrowsAsync<AdapterException>(() => writing);
        givenUp.Set();
        Assert.Equal(AdapterFailureKind.Unavailable, failure.Kind);
        Assert.Equal(first, (await witness.ReadAsync(Ct))!.Record);
    }

    [Fact]
    public async Task A_lease_that_was_deleted_is_not_written_again_by_who_had_read_it()
    {
        var witness = await NewAsync();
        var read = await witness.WriteAsync(new(1, "us-east-1", "first", null, null), version: null, Ct);
        await Client.DeleteAsync(new Uri(cluster.Api, lease), Ct);

        Assert.Equal(AdapterFailureKind.Moved, (await Assert.ThrowsAsync<AdapterException>(() => witness.WriteAsync(read.Record, read.Version, Ct))).Kind);
        Assert.Null(await witness.ReadAsync(Ct));
    }

    protected override Task<IWitness> NewAsync() => NewAsync(TimeProvider.System);

    private async Task<IWitness> NewAsync(TimeProvider time)
    {
        var space = $"witness-{Guid.NewGuid():N}"[..20];
        Client.DefaultRequestHeaders.Authorization = new("Bearer", cluster.Token);
        using var body = new StringContent(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = space } }.ToJsonString());
        body.Headers.ContentType = new("application/json");
        (await Client.PostAsync(new Uri(cluster.Api, "/api/v1/namespaces"), body, Ct)).EnsureSuccessStatusCode();
        lease = $"/apis/coordination.k8s.io/v1/namespaces/{space}/leases/failover-production";
        return new KubernetesWitness(connection, space, "failover-production", Timeout, time);
    }
}

public sealed class KubernetesWitnessOnARealApiServerTests(RealApiServer cluster) : KubernetesWitnessTests(cluster);

public sealed class KubernetesWitnessOnTheSandboxTests(SandboxCluster cluster) : KubernetesWitnessTests(cluster);

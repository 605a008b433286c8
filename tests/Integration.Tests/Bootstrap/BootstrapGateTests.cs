using Microsoft.Extensions.Time.Testing;
using PlatformOps.Adapters.Bootstrap;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Platform.Bootstrap;
using PlatformOps.Starter.Alerts;
using PlatformOps.Starter.Bootstrap;
using PlatformOps.Workflows;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Bootstrap;

/// <summary>Who takes work from a cluster, by what it says of itself.</summary>
public sealed class BootstrapGateTests : IAsyncLifetime
{
    private readonly FakeTimeProvider clock = new();
    private BootstrapServerHost server = null!;
    private TemporalClient client = null!;
    private BootstrapMarker marker = null!;
    private BootstrapRecord? known;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await BootstrapServerHost.StartAsync(new());
        client = await TemporalClient.ConnectAsync(new(server.Address) { DataConverter = PlatformOpsDataConverter.Instance });
        marker = new(client);
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_worker_works_exactly_while_its_cluster_is_active()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var (works, begun) = (false, 0);
        var gate = BootstrapGate.WhileActiveAsync(client, WorkAsync, clock, stop.Token);
        await UntilAsync(() => works);

        await WriteAsync(new(BootstrapRole.HandingOver, 1, "pivot-2-a", 2, "there"));
        await WriteAsync(new(BootstrapRole.HandedOver, 2, "pivot-2-a", 2, "there"));
        await UntilAsync(() => !works);
        Assert.Equal(1, begun);
        await WriteAsync(new(BootstrapRole.Expecting, 2, "pivot-3-b", 3, "there"));
        await WriteAsync(new(BootstrapRole.Active, 3));
        await UntilAsync(() => works);

        Assert.Equal(2, begun);
        await stop.CancelAsync();
        await gate;
        Assert.False(works);

        async Task WorkAsync(CancellationToken ct)
        {
            // Whoever sees that it works finds it counted.
            begun++;
            works = true;
            try
            {
                await Task.Delay(Timeout.Infinite, ct);
            }
            catch (OperationCanceledException)
            {
                works = false;
            }
        }
    }

    [Fact]
    public async Task A_worker_that_fails_is_heard()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => BootstrapGate.WhileActiveAsync(client, _ => Task.FromException(new InvalidOperationException("no such queue")), clock, Ct));
        Assert.Equal("no such queue", failure.Message);
    }

    [Fact]
    public async Task An_alert_is_not_handed_to_a_cluster_that_is_not_active()
    {
        await WriteAsync(new(BootstrapRole.HandedOver, 2, "pivot-2-a", 2, "there"));
        var alert = new Platform.Alerts.Alert { Key = "a/b", Name = "PostgresDown", Status = Platform.Alerts.AlertStatus.Firing, Source = "test", Labels = new Dictionary<string, string>() };

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => new AlertDelivery(client).DeliverAsync(alert, new("default", "production", "RegionFailover"), Ct));

        Assert.Contains("that is there", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await client.CountWorkflowsAsync("")).Count);
    }

    [Fact]
    public async Task Of_two_writers_one_learns_that_it_lost()
    {
        await WriteAsync(new(BootstrapRole.HandingOver, 1, "pivot-2-a", 2, "there"));

        await marker.WriteAsync(null, new(BootstrapRole.HandingOver, 1, "pivot-2-b", 2, "elsewhere"), Ct);
        await marker.WriteAsync(new(BootstrapRole.Active, 1), new(BootstrapRole.HandingOver, 1, "pivot-2-b", 2, "elsewhere"), Ct);

        Assert.Equal("pivot-2-a", (await marker.ReadAsync(Ct))!.Record.PivotId);
    }

    private async Task WriteAsync(BootstrapRecord record)
    {
        await marker.WriteAsync(known, record, Ct);
        Assert.Equal(record, (await marker.ReadAsync(Ct))!.Record);
        known = record;
    }

    private Task UntilAsync(Func<bool> holds) => Wait.UntilAsync(
        () =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return holds();
        },
        () => "The worker has not seen what the cluster says.");
}

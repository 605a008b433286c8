using Temporalio.Client;

namespace PlatformOps.BootstrapServer.Tests.Limits;

/// <summary>A server whose limits are small enough to reach them.</summary>
public sealed class SmallServer : IAsyncLifetime
{
    private BootstrapServerHost? host;

    public string Address => host!.Address;

    public ITemporalClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        string[] settings =
        [
            "limit.blobSize.error=1000", "limit.memoSize.error=500", "limit.historyCount.error=40", "limit.historyCount.suggestContinueAsNew=20", "limit.numPendingActivities.error=3",
            "limit.numPendingChildExecutions.error=3", "limit.numPendingSignals.error=3", "history.maximumSignalsPerExecution=6", "history.maxInFlightUpdates=2", "history.maxTotalUpdates=4",
        ];
        var options = ServerArguments.Parse(["server", "start-dev", "--port", "0", .. settings.SelectMany(setting => new[] { "--dynamic-config-value", setting })]);
        host = await BootstrapServerHost.StartAsync(options);
        Client = await TemporalClient.ConnectAsync(new(host.Address));
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
            await host.DisposeAsync();
    }
}

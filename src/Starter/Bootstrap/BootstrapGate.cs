using PlatformOps.Adapters.Bootstrap;
using PlatformOps.Platform.Bootstrap;
using PlatformOps.Starter.CommandLine;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Bootstrap;

/// <summary>Keeps workers, commands and alerts away from a cluster that is not the active bootstrap cluster.</summary>
internal static class BootstrapGate
{
    /// <summary>How often a worker looks. <see cref="PivotTiming.WorkersGone"/> rests on it.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    /// <summary>Does the work while the cluster says that it may be done, and stands by otherwise, until cancelled or until the work ends by itself.</summary>
    /// <param name="work">Ends when its token is cancelled; begun anew when the cluster is active again.</param>
    public static async Task WhileActiveAsync(ITemporalClient client, Func<CancellationToken, Task> work, TimeProvider clock, CancellationToken ct)
    {
        var marker = new BootstrapMarker(client);
        try
        {
            while (true)
            {
                if (await UntilAsync(marker, _ => true, clock, ct) is { TakesWork: false } record)
                {
                    await Console.Error.WriteLineAsync($"Worker: stands by. {Why(record)}");
                    await UntilAsync(marker, found => found.TakesWork, clock, ct);
                    await Console.Error.WriteLineAsync("Worker: takes work.");
                }

                using var closed = CancellationTokenSource.CreateLinkedTokenSource(ct);
                var working = work(closed.Token);
                var closing = UntilAsync(marker, found => !found.TakesWork, clock, closed.Token);
                var ended = await Task.WhenAny(working, closing);
                await closed.CancelAsync();
                await working;
                if (ended == working)
                    return;
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Being told to stop is how a worker ends well.
        }
    }

    /// <summary>Refuses to begin anything new at a cluster that is not active, or is about to be left.</summary>
    /// <exception cref="CommandFailure">Says which cluster is.</exception>
    public static async Task RequireActiveAsync(ITemporalClient client, CancellationToken ct)
    {
        if ((await new BootstrapMarker(client).ReadAsync(ct))?.Record is { TakesOrders: false } record)
            throw new CommandFailure(
                ExitCode.Refused, $"Nothing is begun at {client.Connection.Options.TargetHost}, namespace {client.Options.Namespace}.", Why(record),
                record.Role is BootstrapRole.HandedOver ? $"Set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE to {record.Peer}." : "platformops bootstrap status");
    }

    /// <summary>What a record says to people who wanted to use the cluster.</summary>
    public static string Why(BootstrapRecord record) => record.Role switch
    {
        BootstrapRole.HandedOver => $"It is not the active bootstrap cluster any more: that is {record.Peer}, since epoch {record.Epoch}.",
        BootstrapRole.Expecting => $"It is not the active bootstrap cluster yet: the standing work of {record.Peer} is being moved there ({record.PivotId}).",
        BootstrapRole.HandingOver => $"Its standing work is being moved to {record.Peer} ({record.PivotId}).",
        BootstrapRole.Returning => $"The move of its standing work to {record.Peer} is being taken back ({record.PivotId}).",
        _ => $"It is the active bootstrap cluster, in epoch {record.Epoch}.",
    };

    private static async Task<BootstrapRecord> UntilAsync(BootstrapMarker marker, Func<BootstrapRecord, bool> such, TimeProvider clock, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                var record = (await marker.ReadAsync(ct))?.Record ?? BootstrapRecord.Unmoved;
                if (such(record))
                    return record;
            }
            catch (RpcException)
            {
                // Whoever cannot read the record gets no tasks from there either: what was known counts.
                ct.ThrowIfCancellationRequested();
            }

            await Task.Delay(Every, clock, ct);
        }
    }
}

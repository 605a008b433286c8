using Microsoft.Extensions.Logging;
using PlatformOps.Guard.Backups;
using PlatformOps.Guard.Postgres;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Guard.Changes;

/// <summary>Makes the node primary of an epoch that the witness gives it. Every step looks whether it is done already, so that a repeated call goes on where the last one ended.</summary>
internal sealed class Promotion(GuardParts parts)
{
    private static readonly TimeSpan AfterwardsPatience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    /// <param name="patience">For the server to become primary, once nobody else can hold a lease.</param>
    public async Task PromoteAsync(long epoch, TimeSpan patience, CancellationToken ct)
    {
        var record = await OwnAsync(epoch, ct);
        if (parts.Gate.Epoch == epoch && parts.Gate.IsOpen)
            return;
        if (parts.Memory.Memory.Rebuild is { } rebuild)
            throw new GuardException($"{parts.Configuration.Node} cannot be promoted: a standby of {rebuild.Primary} is being made of it, and its data may be half of one. Promote the other node, or wait.") { Refused = true };
        InPlaceRestore.RequireWhole(parts);
        parts.Memory.Change(memory => memory with { Fence = null });
        await parts.Server.StartAsync(parts.Memory.Memory, patience, ct);
        await UntilNobodyElseAsync(record, ct);
        await BecomePrimaryAsync(patience, ct);
        // From here on, the data is this epoch's; before, a promoted server serves nobody.
        parts.Settings.WriteInto(parts.Configuration.Data, parts.Memory.Change(memory => memory.Promoted(epoch)));
        parts.Server.Reload();
        if (!parts.Keeper.Held.Valid && !await parts.Keeper.TakeAsync(ct))
            throw new GuardException($"{parts.Configuration.Node} was promoted and could not take the lease of epoch {epoch}. Promote it again, or claim an epoch for another node.");
        await OpenAsync(ct);
        parts.Log.LogInformation("Primary of epoch {Epoch}", epoch);
        // A rewind of the other node reads the new timeline from the control file.
        _ = AfterwardsAsync("CHECKPOINT");
    }

    /// <summary>Lets clients through, when the server is primary, the lease is held, and the database takes the epoch.</summary>
    public async Task OpenAsync(CancellationToken ct)
    {
        var epoch = parts.Memory.Memory.ServesIn;
        if (await parts.Sql.RunAsync(ServerStatements.WriteEpoch, TimeSpan.FromSeconds(5), ct, epoch, parts.Configuration.Node) is null)
            throw new GuardException($"The database of {parts.Configuration.Node} has seen a higher epoch than {epoch}: it is not the data of this epoch. Follow its primary instead.");
        parts.Gate.Open(epoch);
        parts.Status.Changed();
        _ = AfterwardsAsync(ServerStatements.EnsureSlot, ServerSettings.StandbyName(parts.Configuration.Peer.Node));
    }

    private async Task<WitnessRecord> OwnAsync(long epoch, CancellationToken ct)
    {
        var record = await parts.Keeper.LookAsync(ct);
        return record is not null && record.Epoch == epoch && record.Primary == parts.Configuration.Node
            ? record
            : throw new GuardException(record is null
                ? $"The witness has no record, so epoch {epoch} is not {parts.Configuration.Node}'s. Claim it first."
                : $"The witness gives epoch {record.Epoch} to {record.Primary}, not epoch {epoch} to {parts.Configuration.Node}. Claim it first.")
            { Refused = true };
    }

    /// <summary>The predecessor's lease may be given back, or run out.</summary>
    private async Task UntilNobodyElseAsync(WitnessRecord record, CancellationToken ct)
    {
        while (record.Replaced is { } lease && LeaseRules.WaitFor(lease, parts.Keeper.SeenFor(lease)) is { Ticks: > 0 } wait)
            await Task.Delay(wait < Look ? wait : Look, parts.Clock, ct);
    }

    private async Task BecomePrimaryAsync(TimeSpan patience, CancellationToken ct)
    {
        var started = parts.Clock.GetTimestamp();
        var told = false;
        while (await parts.Sql.RunAsync("SELECT pg_is_in_recovery()", patience, ct) is true)
        {
            // Waiting for it in SQL would look once in a tenth of a second only.
            if (!told)
                await parts.Sql.RunAsync(ServerStatements.Promote, patience, ct);
            told = true;
            if (parts.Clock.GetElapsedTime(started) > patience)
                throw new GuardException($"The server of {parts.Configuration.Node} was told to become primary and is still a standby after {patience.TotalSeconds:0} s. See its log; promote it again.");
            await Task.Delay(Look, parts.Clock, ct);
        }
    }

    /// <summary>What nobody waits for.</summary>
    private async Task AfterwardsAsync(string statement, params object[] parameters)
    {
        try
        {
            await parts.SlowSql.RunAsync(statement, AfterwardsPatience, parts.Stopping, parameters);
        }
        catch (Exception failure) when (failure is GuardException or OperationCanceledException)
        {
            parts.Log.LogWarning("{Failure}", failure.Message);
        }
    }
}

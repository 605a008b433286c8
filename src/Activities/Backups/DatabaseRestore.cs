using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Failover;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Backups;
using Temporalio.Client;

namespace PlatformOps.Activities.Backups;

/// <summary>Replaces the data of a database behind guards by a set. Every step can be repeated: what was done is found done.</summary>
/// <param name="synchronous">Whether commits wait for the standby when it follows again.</param>
/// <param name="client">Where the run that watches the database is; null: none is looked for.</param>
internal sealed class DatabaseRestore(
    StoreReference store, SpecifiedEnvironment specified, BackupDefinition definition, BackupStores stores, GuardedBackups guards, FailoverPair pair, bool synchronous, ITemporalClient? client, TimeProvider time,
    Action<string> progress, CancellationToken ct) : IDisposable
{
    /// <summary>Sessions end when nothing is under way in them, and the standby gets everything.</summary>
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    public async Task<RestoreDecision> PlanAsync(PlanRestoreInput input)
    {
        var record = (await pair.Witness.ReadAsync(ct))?.Record
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"The witness keeps nothing about {store.Environment}: no node has ever been primary. Start the guards first.");
        var nodes = new Dictionary<string, DatabaseNode?>();
        foreach (var node in guards.Nodes)
            nodes[node] = await LookAsync(node);
        var sets = await stores.Catalog(store).ReadAsync(ct);
        var place = nodes.GetValueOrDefault(record.Primary) is null ? null : await guards.SurveyAsync(record.Primary, input.Operation, ct);
        var sight = await guards.LookAtAsync(record.Primary, ct);
        return RestoreRules.Decide(
            new()
            {
                Environment = store.Environment,
                Definition = definition,
                Sets = sets,
                Gaps = sight.Gaps,
                Broken = sight.Broken,
                NewestLog = sight.NewestLog,
                Set = input.Set,
                Target = input.Target,
                Primary = record.Primary,
                // What this very operation has claimed does not make its plan void.
                Epoch = record.OperationId == input.Operation ? record.Epoch - 1 : record.Epoch,
                Nodes = nodes,
                Place = place,
                Now = time.GetUtcNow(),
            },
            input.Operation);
    }

    public async Task<RestoreStepResult> CarryOutAsync(RestoreStepInput input)
    {
        var (plan, operation, epoch) = (input.Plan, input.Operation, input.Epoch);
        switch (input.Step)
        {
            case RestoreStep.Reserve:
                await stores.Claims(store).ClaimAsync(plan.Set, operation, ct);
                return Done($"{plan.Set} is claimed for {operation}.");
            case RestoreStep.Restore or RestoreStep.Prove or RestoreStep.Secure when (await guards.SurveyAsync(plan.Node, operation, ct)).Exchanged:
                return Done("It was done before: the restored data takes its place already.");
            case RestoreStep.Restore:
                await stores.Claims(store).ClaimAsync(plan.Set, operation, ct);
                var copy = await guards.StageAsync(plan.Node, operation, plan.Label, plan.Target, progress, ct);
                return Done($"{plan.Label} was restored beside the data of {plan.Node} in {copy.Took.TotalSeconds:0.0} s, up to {copy.UpTo:u}.") with { Took = copy.Took };
            case RestoreStep.Prove:
                var found = await guards.ProveAsync(plan.Node, operation, definition.Rpo, progress, ct);
                return found.Wrong.Count == 0 ? Done(string.Join(" ", found.Right)) : throw new AdapterException(AdapterFailureKind.Damaged, string.Join(" ", [.. found.Wrong, .. found.Right]));
            case RestoreStep.Fence:
                return Done(await FenceAsync(plan, operation, epoch));
            case RestoreStep.Secure:
                return Done(await SecureAsync(plan, operation, epoch));
            case RestoreStep.Place:
                await guards.PlaceAsync(plan.Node, operation, epoch, ct);
                return Done($"The restored data is in its place; the old is kept beside it on {plan.Node}.");
            case RestoreStep.Claim:
                var claimed = await new WitnessClaims(pair.Witness).ClaimAsync(
                    new(store.Environment, operation, plan.Epoch, plan.Node, plan.Node, FailoverKind.Switchover, StalledSequence: null), ct);
                return claimed.Void is { } why ? throw new AdapterException(AdapterFailureKind.Conflict, $"{why} Nothing was opened. Abort, and plan again.") : new($"Epoch {claimed.Epoch} is {plan.Node}'s.", claimed.Epoch);
            case RestoreStep.Open:
                var open = await pair.Database.PromoteAsync(plan.Node, epoch, ct);
                return open.Writable ? Done($"{plan.Node} serves the restored data on timeline {open.Timeline}, in epoch {epoch}.") : throw Unavailable($"{plan.Node} does not serve yet: {open.Trouble ?? $"it is {open.Role}"}.");
            case RestoreStep.Verify:
                await pair.Probe(plan.Node, ct);
                return await LookAsync(plan.Node) is { Writable: true } now && now.Epoch == epoch
                    ? Done($"A write through the clients' path was acknowledged in epoch {epoch}.") : throw Unavailable($"{plan.Node} took a write and is not writable in epoch {epoch}.");
            case RestoreStep.Rebuild:
                return Done(await RebuildAsync(plan, epoch));
            case RestoreStep.CleanUp or RestoreStep.Discard:
                return Done(await CleanUpAsync(plan, operation, input.KeepOld));
            case RestoreStep.PutBack:
                // People may have claimed one since.
                var latest = (await pair.Witness.ReadAsync(ct))?.Record.Epoch ?? epoch;
                await guards.PutBackAsync(plan.Node, operation, Math.Max(epoch, latest), ct);
                return Done($"{plan.Node} has the data that it had.");
            case RestoreStep.Unfence:
                return Done(await UnfenceAsync(plan, operation));
            case var step:
                throw new InvalidOperationException($"{step} is not carried out here.");
        }

        RestoreStepResult Done(string detail) => new(detail, epoch);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        guards.Dispose();
        (pair.Database as IDisposable)?.Dispose();
    }

    /// <summary>Nothing may fail over to the data of before, or start it again, while it is exchanged.</summary>
    private async Task<string> FenceAsync(RestorePlan plan, string operation, long epoch)
    {
        if (client is not null)
            await new FailoverStandstill(client, store.Environment, time, ct).BeginAsync(operation, $"{store} is restored", definition.Rto);
        var node = await pair.Database.FenceAsync(plan.Node, epoch, Drain, ct);
        if (!node.Fenced)
            throw Unavailable($"{plan.Node} answered and is not fenced: {node.Trouble ?? $"it is {node.Role}"}.");
        if (plan.Standby is not { } standby)
            return $"{plan.Node} is fenced.";
        try
        {
            await pair.Database.FenceAsync(standby, epoch, TimeSpan.Zero, ct);
            return $"{plan.Node} and {standby} are fenced.";
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            // It has the timeline of before, which nobody promotes by himself any more.
            return $"{plan.Node} is fenced. {standby} does not answer: {failure.Message}";
        }
    }

    private async Task<string> SecureAsync(RestorePlan plan, string operation, long epoch)
    {
        var secured = await guards.SecureAsync(plan.Node, operation, epoch, await LoginsAsync(), ct);
        return $"{secured.Set.Count} logins have the password of today, and the data knows epoch {epoch}."
            + (secured.Closed.Count == 0 ? "" : $" Closed, since {(secured.Compared ? "they are not valid today" : "nobody could say that they are valid today")}: {string.Join(", ", secured.Closed)}.")
            + (secured.Missing.Count == 0 ? "" : $" Not in the set, to be made again: {string.Join(", ", secured.Missing)}.");
    }

    /// <summary>Who may log in today, as Vault has it. Where it cannot be asked nothing is opened.</summary>
    private async Task<IReadOnlyList<CurrentLogin>> LoginsAsync()
    {
        var region = specified.Region(BackupStores.RegionOf(store, specified));
        var rotations = specified.InDependencyOrder(region.Name).Where(component => component.Backups.Any(backup => backup.Name == store.Store))
            .SelectMany(component => component.Rotations).Where(rotation => rotation.Kind == RotationKind.PostgresqlUsers).ToList();
        if (rotations.Count == 0)
            return [];
        using var vault = stores.Vault(store, specified)
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"{string.Join(", ", rotations.Select(rotation => rotation.Name))} are kept in Vault, and {region.Name} has none: nobody knows which passwords are valid today, and nothing is opened. Enable the component vault.");
        var kept = new StagedSecrets(new(vault.Connection));
        var logins = new List<CurrentLogin>();
        foreach (var rotation in rotations)
        {
            // Of a rotation that is under way the one of before is valid too, and is what the server said.
            if ((await kept.ReadAsync(rotation.Path, ct)).Current is { Login: { } login } current)
                logins.Add(new(login, AlternatingLogins.First(login), ScramVerifier.Of(current.Value)));
        }

        return logins;
    }

    private async Task<string> RebuildAsync(RestorePlan plan, long epoch)
    {
        var (standby, primary) = (plan.Standby!, await pair.Database.ObserveAsync(plan.Node, ct));
        for (var now = await pair.Database.ObserveAsync(standby, ct); !Follows(now, primary); now = await pair.Database.FollowAsync(standby, plan.Node, epoch, ct))
        {
            progress($"{standby} is {now.Role}");
            await Task.Delay(Look, time, ct);
        }

        while (synchronous && await pair.Database.SetSynchronousAsync(plan.Node, synchronous: true, epoch, ct) is { Synchronous: not true })
        {
            progress($"{standby} catches up");
            await Task.Delay(Look, time, ct);
        }

        return $"{standby} follows {plan.Node}.";
    }

    /// <summary>One that is past the place where its primary left its timeline streams for a moment now and then.</summary>
    private static bool Follows(DatabaseNode node, DatabaseNode primary) => node is { Role: NodeRole.Standby, Streaming: true } && node.Timeline == primary.Timeline;

    private async Task<string> CleanUpAsync(RestorePlan plan, string operation, bool keepOld)
    {
        var removed = await guards.DiscardAsync(plan.Node, operation, keepOld, ct);
        await stores.Claims(store).ReleaseAsync(plan.Set, operation, ct);
        if (client is not null)
            await new FailoverStandstill(client, store.Environment, time, ct).EndAsync(operation);
        return removed.Count == 0 ? "There was nothing to remove." : $"Removed: {string.Join(", ", removed)}.";
    }

    /// <summary>The old state, in the epoch that there is by now.</summary>
    private async Task<string> UnfenceAsync(RestorePlan plan, string operation)
    {
        var record = (await pair.Witness.ReadAsync(ct))?.Record ?? throw Unavailable("The witness keeps nothing.");
        if (record.Primary != plan.Node)
            return $"{record.Primary} is primary of epoch {record.Epoch} by now; {plan.Node} stays fenced.";
        var node = record.OperationId == operation ? await pair.Database.PromoteAsync(plan.Node, record.Epoch, ct) : await pair.Database.UnfenceAsync(plan.Node, record.Epoch, ct);
        if (!node.Writable)
            throw Unavailable($"{plan.Node} does not serve yet: {node.Trouble ?? $"it is {node.Role}"}.");
        if (plan.Standby is { } standby && await LookAsync(standby) is { Fenced: true })
            await pair.Database.UnfenceAsync(standby, record.Epoch, ct);
        return $"{plan.Node} serves again, in epoch {record.Epoch}.";
    }

    private async Task<DatabaseNode?> LookAsync(string node)
    {
        try
        {
            return await pair.Database.ObserveAsync(node, ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            return null;
        }
    }

    private static AdapterException Unavailable(string message) => new(AdapterFailureKind.Unavailable, message);
}

using PlatformOps.Adapters;
using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Backups;
using Temporalio.Client;

namespace PlatformOps.Activities.Backups;

/// <summary>Restores a managed database as an instance of its own, beside the one that serves. Every step can be repeated: what was done is found done.</summary>
internal sealed class ManagedDatabaseRestore(StoreReference store, BackupDefinition definition, BackupStores stores, ManagedDatabaseStore database, ITemporalClient? client, TimeProvider time, Action<string> progress, CancellationToken ct)
{
    public async Task<RestoreDecision> PlanAsync(PlanRestoreInput input)
    {
        var there = await database.SurveyAsync(input.Operation, ct);
        return ManagedRestoreRules.Decide(new()
        {
            Environment = store.Environment,
            Definition = definition,
            Sets = await stores.Catalog(store).ReadAsync(ct),
            Set = input.Set,
            Target = input.Target,
            Instance = there.Instance,
            Region = there.Region,
            Places = there.Snapshots,
            Log = there.Log,
            Name = there.Name,
            Taken = there.Taken,
            Exchange = input.Exchange ? there.Exchange : null,
            Now = time.GetUtcNow(),
        });
    }

    public async Task<RestoreStepResult> CarryOutAsync(RestoreStepInput input)
    {
        var (plan, operation, instance) = (input.Plan, input.Operation, input.Plan.NewInstance!);
        switch (input.Step)
        {
            case RestoreStep.Reserve:
                if (instance.FromLog)
                    return Done("RDS keeps the log by itself.");
                await stores.Claims(store).ClaimAsync(plan.Set, operation, ct);
                return Done($"{plan.Set} is claimed for {operation}.");
            case RestoreStep.Restore:
                if (!instance.FromLog)
                    await stores.Claims(store).ClaimAsync(plan.Set, operation, ct);
                var (took, address) = await database.RestoreBesideAsync(operation, plan, progress, ct);
                return Done($"{instance.Name} is available in {instance.Region} at {address}, after {took.TotalSeconds:0} s.") with { Took = took };
            case RestoreStep.Prove:
                var found = await database.ProveBesideAsync(operation, plan, definition.Rows, ct);
                if (instance.Exchange is { } taken && found is { Wrong.Count: 0, Unread: { } unread })
                    throw new AdapterException(AdapterFailureKind.Rejected, $"{instance.Name} does not take the place of {taken.Instance}: nobody has read it. {unread}");
                return found.Wrong.Count == 0 ? Done(found.Unread is { } why ? $"Its rows were not read: {why} Look into it yourself before anything uses it." : string.Join(" ", found.Right))
                    : throw new AdapterException(AdapterFailureKind.Damaged, string.Join(" ", [.. found.Wrong, .. found.Right]));
            case RestoreStep.Fence:
                if (client is not null)
                    await new FailoverStandstill(client, store.Environment, time, ct).BeginAsync(operation, $"{store} is restored", definition.Rto);
                return Done("Nothing fails over meanwhile.");
            case RestoreStep.Unfence:
                await EndStandstillAsync();
                return Done("The database serves as before.");
            case RestoreStep.Open:
                return Done(await database.ExchangeAsync(plan, progress, ct));
            case RestoreStep.Verify:
                return Done(await database.VerifyExchangeAsync(plan, progress, ct));
            case RestoreStep.Rebuild:
                return Done(await database.FollowersAsync(plan, ct));
            case RestoreStep.CleanUp:
                await database.KeepBesideAsync(operation, plan, ct);
                await ReleaseAsync();
                await EndStandstillAsync();
                return Done($"{instance.Exchange?.Instance ?? instance.Name} is protected from deletion.");
            case RestoreStep.Discard:
                var removed = await database.RemoveBesideAsync(operation, plan, ct);
                await ReleaseAsync();
                return Done(removed ? $"{instance.Name} is removed." : $"{instance.Name} is not there.");
            case var step:
                throw new InvalidOperationException($"{step} is not carried out of a managed database.");
        }

        Task EndStandstillAsync() => client is null || instance.Exchange is null ? Task.CompletedTask : new FailoverStandstill(client, store.Environment, time, ct).EndAsync(operation);

        async Task ReleaseAsync()
        {
            if (!instance.FromLog)
                await stores.Claims(store).ReleaseAsync(plan.Set, operation, ct);
        }

        static RestoreStepResult Done(string detail) => new(detail, 0);
    }
}

using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Backups;

/// <summary>What was restored beside a managed database takes its place: both change their names, and nothing is deleted. How far that has come is seen by which names there are.</summary>
internal sealed partial class ManagedDatabaseStore
{
    /// <summary>What had the place is no part of the platform any more: nobody takes it for the database, nor removes it with one.</summary>
    private AwsOwner Replaced => owner with { Component = "database-before" };

    /// <summary>Exchanges the names, or goes on with it, until the restored instance is available by that of the database.</summary>
    /// <returns>What became of both, as sentences.</returns>
    public async Task<string> ExchangeAsync(RestorePlan plan, Action<string> progress, CancellationToken ct)
    {
        var (place, name, exchange) = (BesidePlace(plan), plan.NewInstance!.Name, plan.NewInstance.Exchange!);
        if (await PlacedAsync(plan, ct) is null)
        {
            await FreeAsync(place, plan, progress, ct);
            progress($"{name} becomes {exchange.Instance}.");
            await RenamedAsync(place, name, exchange.Instance, restored with { More = new Dictionary<string, string> { [RestoredTag] = name } }, ct);
        }

        await AvailableInstanceAsync(place, exchange.Instance, name, progress, ct);
        // First the one, then the other: nobody finds two that are the platform's.
        var kept = await place.Instances.FindAsync(exchange.Kept, ct) is not null;
        if (kept)
            await place.Instances.HandOverAsync(exchange.Kept, owner, Replaced, ct);
        await place.Instances.HandOverAsync(exchange.Instance, restored, owner, ct);
        return $"{name} is {exchange.Instance} now.{(!kept ? "" : $" What was {exchange.Instance} is {exchange.Kept}: remove it when nobody needs it.")}";
    }

    /// <summary>Looks whether the database answers by its own name and lets us in.</summary>
    public async Task<string> VerifyExchangeAsync(RestorePlan plan, Action<string> progress, CancellationToken ct)
    {
        var (place, exchange) = (BesidePlace(plan), plan.NewInstance!.Exchange!);
        var serving = await AvailableInstanceAsync(place, exchange.Instance, plan.NewInstance.Name, progress, ct);
        if (await PlacedAsync(plan, ct) is null)
            throw new AdapterException(AdapterFailureKind.Conflict, $"{exchange.Instance} in {place.Region} is not what was restored as {plan.NewInstance.Name}: somebody has exchanged them again.");
        if (open is null)
            return $"{exchange.Instance} is available at {serving.Address}.";
        using var server = await open(place, serving, serving, ct);
        await new Adapters.Postgres.PostgresContents(server).CountAsync(all: false, ct);
        return $"{exchange.Instance} is available at {serving.Address}, and its tables were read there.";
    }

    /// <summary>Who copied what had the place, and goes on copying that.</summary>
    public async Task<string> FollowersAsync(RestorePlan plan, CancellationToken ct)
    {
        var exchange = plan.NewInstance!.Exchange!;
        return await BesidePlace(plan).Instances.FindAsync(exchange.Kept, ct) is { Replicas: { Count: > 0 } replicas }
            ? $"{string.Join(", ", replicas)} still copies {exchange.Kept}: remove it when nobody needs it, then provision managed-database, which makes a replica of {exchange.Instance}."
            : "Nothing copied what had the place.";
    }

    /// <summary>The restored instance by the name of the database; null: it has not got it.</summary>
    private async Task<DatabaseInstance?> PlacedAsync(RestorePlan plan, CancellationToken ct) => plan.NewInstance!.Exchange is { } exchange
        && await BesidePlace(plan).Instances.FindAsync(exchange.Instance, ct) is { } there && there.Tags.GetValueOrDefault(RestoredTag) == plan.NewInstance.Name ? there : null;

    /// <summary>Has the database give its name up, and be kept by another one.</summary>
    private async Task FreeAsync(Place place, RestorePlan plan, Action<string> progress, CancellationToken ct)
    {
        var (name, exchange) = (plan.NewInstance!.Name, plan.NewInstance.Exchange!);
        if (await place.Instances.FindAsync(name, ct) is not { } beside)
            throw new AdapterException(AdapterFailureKind.Missing, $"{name} is not in {place.Region} any more: somebody removed or renamed it. Nothing takes the place of {exchange.Instance}.");
        // By this it is known by another name; older restores do not carry it.
        await place.Instances.TagAsync(name, restored with { More = new Dictionary<string, string> { [RestoredTag] = name } }, null, ct);
        if (beside.Busy)
            await AvailableInstanceAsync(place, name, plan.Label, progress, ct);
        if (!plan.Overwrites && await place.Instances.FindAsync(exchange.Instance, ct) is not null && await place.Instances.FindAsync(exchange.Kept, ct) is null)
            throw new AdapterException(AdapterFailureKind.Conflict, $"There is an instance {exchange.Instance} in {place.Region} by now, and none when this was planned. Abort is not possible any more: remove or rename it, then retry.");
        progress($"{exchange.Instance} becomes {exchange.Kept}.");
        await RenamedAsync(place, exchange.Instance, exchange.Kept, owner, ct);
        if (plan.Overwrites)
        {
            await AvailableInstanceAsync(place, exchange.Kept, exchange.Instance, progress, ct);
            await place.Instances.HandOverAsync(exchange.Kept, owner, Replaced, ct);
        }
    }

    /// <summary>Waits until nothing has the name any more; asks for it once it may be asked for.</summary>
    private async Task RenamedAsync(Place place, string name, string wanted, AwsOwner whose, CancellationToken ct)
    {
        for (; await place.Instances.FindAsync(name, ct) is { } there; await Task.Delay(Look, time, ct))
        {
            if (there.Busy)
                continue;
            if (await place.Instances.FindAsync(wanted, ct) is not null)
                throw new AdapterException(AdapterFailureKind.Conflict, $"{name} cannot become {wanted} in {place.Region}: there is one of that name. Rename or remove whichever is too many, then retry.");
            await place.Instances.RenameAsync(name, wanted, whose, ct);
        }
    }

    /// <summary>Names of instances have 63 characters at most.</summary>
    private static string KeptOf(Place place, string operation) => $"{place.Identifier[..Math.Min(place.Identifier.Length, 40)].TrimEnd('-')}-before-{CanonicalJson.Digest(operation)[..8]}";
}

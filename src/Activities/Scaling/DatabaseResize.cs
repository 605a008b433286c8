using System.Globalization;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;
using Temporalio.Exceptions;
using AwsDatabases = PlatformOps.Adapters.Aws.Databases.DatabaseInstances;

namespace PlatformOps.Activities.Scaling;

/// <summary>The class of a managed database: how it is, and another one.</summary>
/// <param name="failover">The failover that is under way; null: none is.</param>
internal sealed class DatabaseResize(
    SpecifiedEnvironment specified, ComponentDefinition component, RegionSpecification region, RegionConnections regions, TimeProvider time, Func<CancellationToken, Task<string?>> failover)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>So long RDS may go on telling of before after it took a change.</summary>
    private static readonly TimeSpan LagPatience = TimeSpan.FromMinutes(10);

    private readonly AwsOwner owner = new(specified.Environment.Platform, specified.Environment.Name, component.Name);

    private AwsDatabases Databases => new(regions.Aws(region.Name));

    /// <param name="wanted">The class that is asked for.</param>
    public async Task<ClassSight> LookAsync(string wanted, DateTimeOffset? until, CancellationToken ct)
    {
        var address = Address();
        var live = await Databases.FindAsync(address.Name, ct);
        if (live is not null && owner.WhyForeign(live.Tags) is { } why)
            throw new AdapterException(AdapterFailureKind.Conflict, $"{address} exists and {why}. Nothing was changed. Hand it over to us, or rename it.");
        var seen = live is null ? null : await SeenAsync(live, ct) with { Offered = await Databases.IsOfferedAsync(live.Engine, live.EngineVersion, wanted, ct) };
        var decision = DatabaseClassRules.Decide(component.Name, specified.Environment.Classes.FirstOrDefault(allowed => allowed.Component == component.Name)?.Names, seen, wanted, atOnce: true);
        return new(
            decision, live?.ResourceId, live is null ? null : Temporary(live), specified.Environment.GuardRails,
            ScalePlan.Of(specified.Environment, specified.Catalog, component.Name, address, decision, until));
    }

    /// <summary>Asks RDS once, however often it is called, and waits until the instance has the class and nothing is left to do to it.</summary>
    /// <returns>The class that it has or is on its way to: another one than the wanted one is somebody else's, and was left.</returns>
    public async Task<ResizedDatabase> ResizeAsync(ResizeDatabaseInput input, Action<string> heartbeat, CancellationToken ct)
    {
        var (address, asked) = (Address(), (long?)null);
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var now = await Databases.FindAsync(address.Name, ct) ?? throw new AdapterException(AdapterFailureKind.Missing, $"{address} is not there any more. Look what became of it.");
            if (input.ResourceId is not null && now.ResourceId != input.ResourceId)
                throw new AdapterException(AdapterFailureKind.Conflict, $"{address} is another instance by now than the one that was decided on. Look, then start the run again.");
            var heading = now.Pending.Class ?? now.Class;
            if (heading != input.To && heading != input.From)
                return new(heading, $"{address} is {heading} by now.");
            if (heading == input.To && now.Available && now.Pending == new DatabaseChange())
            {
                if (SaysOtherwise(now, input))
                    await Databases.MarkAsync(address.Name, Marks(input), owner, ct);
                return new(heading, $"{address} is {input.To} and available.");
            }

            if (heading == input.From && heading != input.To && now.Available && asked is null)
            {
                // Nobody else looks before a class of before comes back, and before this it may have been waited for hours.
                if (DatabaseClassRules.Harm(await SeenAsync(now, ct), input.To) is { } harm)
                    throw new AdapterException(AdapterFailureKind.Conflict, $"{address} stays {input.From} for now: {harm} Then retry the step.");
                await AskAsync(now, input, ct);
                asked = time.GetTimestamp();
            }
            else if (heading == input.From && now.Available && asked is { } since && time.GetElapsedTime(since) >= LagPatience)
                throw new AdapterException(AdapterFailureKind.Conflict, $"{address} is {input.From} still: RDS took the change to {input.To} and did not make it. See its events in RDS, then retry the step.");
            heartbeat($"{address} is {now.Status}, on its way from {input.From} to {input.To}");
            await Task.Delay(pause, time, ct);
        }
    }

    private async Task AskAsync(DatabaseInstance now, ResizeDatabaseInput input, CancellationToken ct)
    {
        await Databases.MarkAsync(now.Identifier, Marks(input), owner, ct);
        try
        {
            // What was begun is heard out, so that whoever takes it back finds it: an abort comes between the calls, not into one.
            await Databases.ResizeAsync(now.Identifier, input.From, input.To, atOnce: true, owner, CancellationToken.None);
        }
        catch (AdapterException refused) when (refused.Kind is AdapterFailureKind.Rejected or AdapterFailureKind.Forbidden or AdapterFailureKind.Conflict)
        {
            // It keeps its class, and with it what says that provisioning has to leave that.
            await Databases.MarkAsync(now.Identifier, now.Tags.Where(tag => ScaleMarks.Contain(tag.Key)).ToDictionary(), owner, CancellationToken.None);
            throw;
        }
    }

    private async Task<ObservedDatabaseClass> SeenAsync(DatabaseInstance live, CancellationToken ct) => new(
        live.Identifier, live.Engine, live.EngineVersion, live.Status, live.Class, Pending(live.Pending), live.Pending.Class, live.MultipleZones, Offered: null, await failover(ct),
        await new SurroundingSight(specified, component, region, regions, time).PoolsAsync(component.Name, [], ct))
    {
        Source = live.ReplicaOf is { } source ? await CopiedAsync(source, ct) : null,
        Replicas = await Task.WhenAll(live.Replicas.Select(replica => CopiedAsync(replica, ct))),
    };

    /// <summary>A region that does not answer hides its class, and nothing else.</summary>
    private async Task<CopiedDatabase> CopiedAsync(string name, CancellationToken ct)
    {
        var (elsewhere, identifier) = AwsDatabases.Place(name);
        var where = elsewhere ?? region.Name;
        try
        {
            var other = regions.StatesAws(where) ? await new AwsDatabases(regions.Aws(where)).FindAsync(identifier, ct) : null;
            return new($"{identifier} of {where}", other?.Pending.Class is null ? other?.Class : null);
        }
        catch (AdapterException)
        {
            return new($"{identifier} of {where}", null);
        }
    }

    private ResourceAddress Address() => ManifestRenderer.Render(specified.Environment, component, region.Name)
        .FirstOrDefault(item => item.Address is { ApiVersion: ResourceAddress.AwsApiVersion, Kind: "DatabaseInstance" })?.Address ?? throw new ApplicationFailureException(
            $"Field 'instanceClass': {component.Name} has no managed database in {region.Name}. Give 'replicas' for a number of replicas.", FailureTypes.InvalidInput, nonRetryable: true);

    private static Dictionary<string, string> Marks(ResizeDatabaseInput input)
    {
        var marks = new Dictionary<string, string> { [ScaleMarks.By] = input.OperationId, [ScaleMarks.Reason] = input.Reason, [ScaleMarks.To] = input.To };
        if (input.Temporary is { } temporary)
            (marks[ScaleMarks.Until], marks[ScaleMarks.Before]) = (ScaleMarks.Text(temporary.Until), temporary.Before);
        return marks;
    }

    /// <summary>Its tags tell of the class that this changes, or of an end that it has no more. Tags of somebody else's class stay.</summary>
    private static bool SaysOtherwise(DatabaseInstance now, ResizeDatabaseInput input)
    {
        var marks = Marks(input);
        return now.Tags.GetValueOrDefault(ScaleMarks.To) is { } said && (said == input.From || said == input.To)
            && new[] { ScaleMarks.To, ScaleMarks.Until, ScaleMarks.Before }.Any(tag => now.Tags.GetValueOrDefault(tag) != marks.GetValueOrDefault(tag));
    }

    /// <summary>What says so counts as long as its class is the one that there is.</summary>
    private static TemporaryClass? Temporary(DatabaseInstance live) =>
        live.Tags.GetValueOrDefault(ScaleMarks.To) == (live.Pending.Class ?? live.Class) && live.Tags.TryGetValue(ScaleMarks.Before, out var before)
            && DateTimeOffset.TryParse(live.Tags.GetValueOrDefault(ScaleMarks.Until), CultureInfo.InvariantCulture, out var until)
            ? new(live.Tags.GetValueOrDefault(ScaleMarks.By) ?? "", before, until) : null;

    private static List<string> Pending(DatabaseChange pending) =>
    [
        .. new (string Name, object? Value)[]
        {
            ("instanceClass", pending.Class), ("engineVersion", pending.EngineVersion), ("allocatedStorage", pending.StorageGigabytes), ("backupRetention", pending.BackupDays), ("multiAz", pending.MultipleZones),
        }.Where(field => field.Value is not null).Select(field => field.Name),
    ];
}

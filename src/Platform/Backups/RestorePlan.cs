using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Backups;

/// <summary>What a restore into a running database would do, as people approve it.</summary>
public sealed record RestorePlan : IRestorePlan
{
    public required string Environment { get; init; }

    public required string Store { get; init; }

    /// <summary>The id of the set.</summary>
    public required string Set { get; init; }

    /// <summary>What the store's own tool calls it.</summary>
    public required string Label { get; init; }

    /// <summary>The moment to restore to; null: the newest in the archive.</summary>
    public DateTimeOffset? Target { get; init; }

    /// <summary>Why this set.</summary>
    public required string Why { get; init; }

    /// <summary>The node whose data is replaced.</summary>
    public required string Node { get; init; }

    /// <summary>The node that follows it afterwards; null: there is none.</summary>
    public string? Standby { get; init; }

    /// <summary>The epoch in which this was planned: a claim of a later one makes it void.</summary>
    public required long Epoch { get; init; }

    /// <summary>Whether there is data that is replaced.</summary>
    public required bool Overwrites { get; init; }

    /// <summary>What that means, as a sentence.</summary>
    public required string Lost { get; init; }

    /// <summary>How long it will take, as the last verification measured it; null: none did.</summary>
    public TimeSpan? Estimate { get; init; }

    /// <summary>What whoever approves should know besides.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>A managed database: the instance that is made, beside the one that is there. Null: data of a node is replaced.</summary>
    public NewInstance? NewInstance { get; init; }

    /// <summary>What people approve: which data takes the place of which. The same facts give the same hash.</summary>
    public string Hash => CanonicalJson.Digest(Approved());

    private JsonObject Approved()
    {
        var approved = new JsonObject
        {
            ["environment"] = Environment,
            ["store"] = Store,
            ["set"] = Set,
            ["label"] = Label,
            ["target"] = Target?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            ["node"] = Node,
            ["standby"] = Standby,
            ["epoch"] = Epoch,
            ["overwrites"] = Overwrites,
        };
        // Plans of guards have the hash that they always had.
        if (NewInstance is { } made)
            approved["newInstance"] = new JsonArray(made.Name, made.Region, made.FromLog);
        if (NewInstance?.Exchange is { } exchange)
            approved["exchange"] = new JsonArray(exchange.Instance, exchange.Kept);
        return approved;
    }
}

/// <param name="Name">RDS's identifier of it.</param>
/// <param name="FromLog">Whether it is made of the log of the database, to a moment, and not of a set.</param>
public sealed record NewInstance(string Name, string Region, bool FromLog)
{
    /// <summary>Whose place it takes when it is proved; null: nobody's, it stays beside the database.</summary>
    public InstanceExchange? Exchange { get; init; }
}

/// <param name="Instance">RDS's identifier of the database, by which clients reach it: it is that of the new instance afterwards.</param>
/// <param name="Kept">What the instance that had it is called afterwards: nothing of it is deleted.</param>
public sealed record InstanceExchange(string Instance, string Kept);

/// <summary>A plan, or why there is none.</summary>
public abstract record RestoreDecision
{
    private RestoreDecision()
    {
    }

    public sealed record Restore(RestorePlan Plan) : RestoreDecision;

    /// <param name="Why">What is wrong and what to do, as sentences.</param>
    public sealed record Refuse(string Why) : RestoreDecision;
}

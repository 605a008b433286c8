namespace PlatformOps.Platform.Backups;

/// <summary>All that a decision about a restore of a managed database goes by.</summary>
public sealed record ManagedRestoreFacts
{
    public required string Environment { get; init; }

    public required BackupDefinition Definition { get; init; }

    /// <summary>Every set of the store, as the backup catalog has it.</summary>
    public required IReadOnlyList<BackupSet> Sets { get; init; }

    /// <summary>The set that was asked for; null: whichever fits.</summary>
    public string? Set { get; init; }

    /// <summary>The moment that was asked for; null: the newest.</summary>
    public DateTimeOffset? Target { get; init; }

    /// <summary>The instance that serves; null: there is none any more, so that only sets are left.</summary>
    public string? Instance { get; init; }

    /// <summary>In which region the new instance is made of the log.</summary>
    public required string Region { get; init; }

    /// <summary>In which regions a set, by its label, lies whole; the first is where the new instance is made of it.</summary>
    public required IReadOnlyDictionary<string, string> Places { get; init; }

    /// <summary>Since when the log is kept, and up to when it can be followed; null: there is none.</summary>
    public RecoveryRange? Log { get; init; }

    /// <summary>The name of the new instance.</summary>
    public required string Name { get; init; }

    /// <summary>The new instance is to take the database's place: whose name it gets; null: it stays beside it.</summary>
    public InstanceExchange? Exchange { get; init; }

    /// <summary>Why that name is taken by somebody else; null: it is not.</summary>
    public string? Taken { get; init; }

    public required DateTimeOffset Now { get; init; }
}

/// <summary>What a restore of a managed database would make: an instance of its own, of the log where that has the moment, else of a set. Nothing that is there is replaced.</summary>
public static class ManagedRestoreRules
{
    public static RestoreDecision Decide(ManagedRestoreFacts facts)
    {
        if (facts.Target > facts.Now)
            return Refuse($"{facts.Target:u} is not yet. Name a moment of the past, or none for the newest.");
        if (facts.Taken is { } taken)
            return Refuse($"{facts.Name} in {facts.Region} {taken}. Nothing that is there is replaced: remove it, or name another operationId.");
        if (facts is { Set: not null, Target: not null })
            return Refuse("A set of a managed database is of one moment: name a set or a moment.");
        if (facts is { Set: null, Log: { } log, Instance: { } instance } && (facts.Target ?? log.To) >= log.From)
        {
            return facts.Target > log.To ? Refuse($"RDS can restore {instance} up to {log.To:u} now, and not to {facts.Target:u} yet: it archives the log every five minutes. Ask again then.")
                : new RestoreDecision.Restore(Plan(facts, instance, instance, facts.Target, facts.Region, fromLog: true, $"The log of {instance} is kept since {log.From:u}.", set: null));
        }

        var (set, why) = SetChoice.Of(facts.Sets, facts.Definition, facts.Set, facts.Target, set => facts.Places.ContainsKey(set.Label!) ? null : $"{set.Id} has no snapshot any more, in no region.");
        if (set is not null && facts.Exchange is { } exchange && facts.Places[set.Label!] is var place && place != facts.Region)
            return Refuse($"The snapshot of {set.Id} is in {place}, and {exchange.Instance} is the database in {facts.Region}: an instance takes the place of one of its own region. Restore beside it (without exchange), or name another set.");
        return set is null ? Refuse(why) : new RestoreDecision.Restore(Plan(facts, set.Id, set.Label!, null, facts.Places[set.Label!], fromLog: false, why, set));
    }

    private static RestoreDecision.Refuse Refuse(string why) => new(why);

    private static RestorePlan Plan(ManagedRestoreFacts facts, string name, string label, DateTimeOffset? target, string region, bool fromLog, string why, BackupSet? set)
    {
        var measured = facts.Sets.Where(other => other.Proof?.MeasuredRto is not null).OrderByDescending(other => other.Proof!.At).FirstOrDefault()?.Proof!.MeasuredRto;
        return new()
        {
            Environment = facts.Environment,
            Store = facts.Definition.Name,
            Set = name,
            Label = label,
            Target = target,
            Why = why,
            Node = facts.Name,
            Epoch = 0,
            // Of what is not there nothing is backed up.
            Overwrites = facts is { Exchange: not null, Instance: not null },
            Lost = facts switch
            {
                { Exchange: { } exchange, Instance: not null } => $"{facts.Name} is made in {region} and takes the place of {exchange.Instance}, which is {exchange.Kept} afterwards: whatever was committed later than the moment is only in that one, and in the set that is made before.",
                { Exchange: { } exchange } => $"There is no database, and {facts.Name} is made in {region} and becomes {exchange.Instance}.",
                _ => $"Nothing is replaced: {(facts.Instance is { } instance ? $"{instance} goes on serving" : "there is no database")}, and {facts.Name} is made in {region}.",
            },
            Estimate = measured,
            NewInstance = new(facts.Name, region, fromLog) { Exchange = facts.Exchange },
            Notes =
            [
                .. set is not null && facts.Target is { } moment ? [$"The log of {moment:u} is not kept: what was committed between {set.At:u} and then is not in {set.Id}."] : Array.Empty<string>(),
                .. set is { Proof: null } ? [$"{set.Id} was never proved."] : Array.Empty<string>(),
                facts.Exchange is { } taken
                    ? $"Both are restarted when they change their names, which takes minutes. Stop what writes before. Logins and passwords are those of the moment. A replica follows {taken.Kept} still, and has to be made anew."
                    : "Nothing uses the new instance, and it costs what the database costs: docs/runbooks/restore.md says how it takes the database's place, and how it goes.",
            ],
        };
    }
}

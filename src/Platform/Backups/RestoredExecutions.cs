using System.Globalization;

namespace PlatformOps.Platform.Backups;

/// <summary>A workflow execution of a restored Temporal: as visibility lists it, as its history is, and then as it is described.</summary>
/// <param name="ListedOpen">Whether visibility has it as running.</param>
/// <param name="Read">How many events of its history were read.</param>
/// <param name="Unbroken">Whether they are numbered from 1 without a gap, the first being its start.</param>
/// <param name="EndsClosed">Whether the last of them ends it.</param>
/// <param name="Described">Null: the database does not have it.</param>
/// <param name="TaskQueue">Whose workers would carry it on.</param>
public sealed record RestoredExecution(string Namespace, string WorkflowId, string RunId, bool ListedOpen, long Read, bool Unbroken, bool EndsClosed, DescribedExecution? Described, string TaskQueue);

/// <param name="Events">How many events its history has.</param>
public sealed record DescribedExecution(bool Open, long Events);

/// <summary>Judges whether the two databases of a restored Temporal belong together. The database is the truth, and visibility may be of an earlier moment, never of a later one: it would list what never happened.</summary>
public static class RestoredExecutions
{
    /// <summary>What speaks against it and what does not, one sentence each.</summary>
    public static (IReadOnlyList<string> Wrong, IReadOnlyList<string> Right) Judge(IReadOnlyList<RestoredExecution> sampled)
    {
        var wrong = sampled.Select(Trouble).OfType<string>().ToList();
        var behind = sampled.Count(run => run is { ListedOpen: true, Described.Open: false });
        return (wrong,
        [
            string.Create(CultureInfo.InvariantCulture, $"{sampled.Count} executions were described and {sampled.Sum(run => run.Read)} events of their histories read."),
            .. behind == 0 ? Array.Empty<string>() : [string.Create(CultureInfo.InvariantCulture, $"{behind} of them are listed as running and have ended: visibility is of an earlier moment than the database.")],
        ]);
    }

    private static string? Trouble(RestoredExecution run)
    {
        var name = $"{run.WorkflowId} ({run.RunId}) of {run.Namespace}";
        return run switch
        {
            { Described: null } => $"{name} is listed and is not in the database: visibility is of a later moment. Restore it from a set of before.",
            { ListedOpen: false, Described.Open: true } => $"{name} is listed as closed and is open in the database: visibility is of a later moment. Restore it from a set of before.",
            { Unbroken: false } => $"The history of {name} has a gap, or does not begin with its start.",
            // It is described later than it is read: timers fire also while nobody works on it.
            { Described: var described } when described.Events < run.Read => string.Create(CultureInfo.InvariantCulture, $"{name} is described with {described.Events} events and has {run.Read}."),
            { EndsClosed: false, Described: var described } when !described.Open && described.Events == run.Read => $"{name} has ended and its history does not say how.",
            { EndsClosed: true, Described.Open: true } => $"{name} is open, and its history has ended.",
            _ => null,
        };
    }
}

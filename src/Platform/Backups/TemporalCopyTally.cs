using System.Globalization;

namespace PlatformOps.Platform.Backups;

/// <summary>What a restored database of Temporal holds, read in its tables, without a server that would go on with it.</summary>
/// <param name="Persistence">The database with executions and histories.</param>
/// <param name="Visibility">The database with what is listed; null: no database of the set, so that it is in Elasticsearch.</param>
/// <param name="Executions">How many it has, by workflow id: the newest run of each.</param>
/// <param name="Open">How many of them have not ended, and would go on.</param>
/// <param name="Sampled">Executions whose histories were read from the first event to the last.</param>
/// <param name="Bare">Workflow ids that are only named: the execution itself is not there.</param>
/// <param name="Unreadable">Executions that are no workflows, or of an encoding that this version does not know, and were not read.</param>
/// <param name="Listing">Null: there is no visibility to compare with.</param>
public sealed record TemporalCopyTally(string Persistence, string? Visibility, long Executions, long Open, IReadOnlyList<RestoredExecution> Sampled, IReadOnlyList<string> Bare, int Unreadable, TemporalListing? Listing)
{
    /// <summary>Events that were read.</summary>
    public long Events => Sampled.Sum(run => run.Read);
}

/// <summary>The numbers of a <see cref="TemporalCopyTally"/>, for reports and metrics.</summary>
/// <param name="Database">With executions and histories.</param>
/// <param name="Sampled">Histories that were read whole.</param>
/// <param name="Events">Events of them.</param>
/// <param name="Compared">Listed executions that were looked for; null: visibility is not in the set.</param>
/// <param name="Differing">Those that are not as they are listed, and open ones that are not listed; null: the same.</param>
public sealed record TemporalCopyCounts(string Database, long Executions, long Open, int Sampled, long Events, int? Compared, int? Differing)
{
    /// <summary>Without what they are of.</summary>
    public static TemporalCopyCounts Of(TemporalCopyTally tally) =>
        new(tally.Persistence, tally.Executions, tally.Open, tally.Sampled.Count, tally.Events, tally.Listing?.Compared, tally.Listing?.Differing);
}

/// <summary>How the two databases of one moment differ.</summary>
/// <param name="Compared">So many of the newest that are listed were looked for, and as many that are open.</param>
/// <param name="Lost">Listed ones that the database does not have.</param>
/// <param name="Ahead">Listed as closed, and open in the database.</param>
/// <param name="Behind">Listed as running, and closed in the database.</param>
/// <param name="Unlisted">Open ones that are not listed.</param>
/// <param name="Pending">Changes of visibility that Temporal had written down and may not have carried out yet.</param>
/// <param name="Examples">Some of those that differ, by workflow id.</param>
public sealed record TemporalListing(int Compared, int Lost, int Ahead, int Behind, int Unlisted, long Pending, IReadOnlyList<string> Examples)
{
    /// <summary>All of them.</summary>
    public int Differing => Lost + Ahead + Behind + Unlisted;
}

/// <summary>Judges whether a Temporal could go on from a restored database. Both of its databases are of one moment, in which visibility may lag: by what was to be written into it, and by no more.</summary>
public static class TemporalCopyVerdict
{
    /// <summary>How many executions are named.</summary>
    private const int Named = 5;

    /// <summary>What speaks against it and what does not, one sentence each.</summary>
    public static (IReadOnlyList<string> Wrong, IReadOnlyList<string> Right) Of(TemporalCopyTally tally)
    {
        var (wrong, right) = RestoredExecutions.Judge(tally.Sampled);
        // In a copy nothing goes on: what is described and was not read is lost.
        List<string> lost =
        [
            .. wrong,
            .. tally.Bare.Select(workflow => $"{workflow} of {tally.Persistence} is only named: its execution is not there."),
            .. tally.Sampled.Where(run => run.Unbroken && run.Described is { } described && described.Events > run.Read)
                .Select(run => Say($"{run.WorkflowId} ({run.RunId}) of {run.Namespace} has {run.Described!.Events} events and its history ends after {run.Read}.")),
        ];
        List<string> found =
        [
            Say($"Temporal in {tally.Persistence}: {tally.Executions} executions, {tally.Open} of them open, as its tables have them. {right[0]}"),
            .. tally.Unreadable == 0 ? Array.Empty<string>() : [Say($"{tally.Unreadable} executions of {tally.Persistence} have no history that this version can read.")],
        ];
        var name = $"visibility ({tally.Visibility})";
        switch (tally.Listing)
        {
            case null:
                found.Add($"Visibility of {tally.Persistence} is in no database of this set, and was not compared.");
                break;
            case { } listing when listing.Differing > listing.Pending:
                lost.Add(Say($"{name} and {tally.Persistence} are not of one moment: of {listing.Compared} listed {listing.Lost} are not there, {listing.Ahead} are listed as closed and are open, {listing.Behind} the other way round, and {listing.Unlisted} open ones are not listed, with only {listing.Pending} changes that had still to be written; {string.Join(", ", listing.Examples.Take(Named))}."));
                break;
            case { Differing: 0 } listing:
                found.Add(Say($"{listing.Compared} listed in {name} are in {tally.Persistence} as they are listed, and all that are open are listed."));
                break;
            case { } listing:
                found.Add(Say($"{name} lags by {listing.Differing} of {listing.Compared}: {listing.Pending} changes had still to be written into it, which a Temporal does when it starts."));
                break;
        }

        return (lost.Count <= Named ? lost : [.. lost.Take(Named), Say($"{lost.Count - Named} more executions are not as they have to be.")], found);
    }

    private static string Say(FormattableString sentence) => sentence.ToString(CultureInfo.InvariantCulture);
}

using System.Globalization;
using System.Text.RegularExpressions;

namespace PlatformOps.Platform.Bootstrap;

/// <summary>What was seen of one bootstrap cluster.</summary>
public sealed record BootstrapSight
{
    /// <summary>For people: <c>address/namespace</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Of the namespace; null: it does not exist yet.</summary>
    public string? NamespaceId { get; init; }

    /// <summary>What it says of itself; null: it was never moved.</summary>
    public BootstrapRecord? Record { get; init; }

    /// <summary>When the record was last changed, by the clock of the cluster.</summary>
    public DateTimeOffset? RecordedAt { get; init; }

    /// <summary>The custom search attributes: type by name.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>Schedules that start our runbooks.</summary>
    public IReadOnlyList<StandingSchedule> Schedules { get; init; } = [];

    /// <summary>Open runs that have no end by themselves.</summary>
    public IReadOnlyList<StandingRun> Standing { get; init; } = [];

    /// <summary>Ids of all other open runs of our runbooks.</summary>
    public IReadOnlyList<string> Passing { get; init; } = [];

    /// <summary>The record that counts.</summary>
    public BootstrapRecord Says => Record ?? BootstrapRecord.Unmoved;

    /// <summary>All that works there or would.</summary>
    public IReadOnlyList<string> Work => [.. Schedules.Select(schedule => $"schedule {schedule.Id}"), .. Standing.Select(run => $"run {run.Id}"), .. Passing.Select(run => $"run {run}")];
}

/// <summary>A schedule of ours.</summary>
/// <param name="Mark">What an attempt to move it has noted on it; null: nothing.</param>
public sealed record StandingSchedule(string Id, bool Paused, PivotMark? Mark = null);

/// <summary>An open run without an end, as the watch over an environment's database.</summary>
/// <param name="RunId">Which of the runs with this id.</param>
/// <param name="Suspended">It stands still and can be carried elsewhere.</param>
/// <param name="MovedBy">The attempt that started it there; null: somebody else did.</param>
public sealed record StandingRun(string Id, string RunId, bool Suspended, string? MovedBy = null);

/// <summary>What an attempt notes on a schedule, in front of its own note: whose it is now, and whether it is to run again afterwards.</summary>
/// <param name="Runs">It was not paused before.</param>
/// <param name="Taken">The last due time that was acted on before it was held, where only the other cluster knows it.</param>
public sealed partial record PivotMark(string PivotId, bool Runs, DateTimeOffset? Taken = null)
{
    /// <summary>In front of the note that was there.</summary>
    public string Before(string note) => string.Create(
        CultureInfo.InvariantCulture, $"[moving: {PivotId} {(Runs ? "runs" : "rests")}{(Taken is { } taken ? $" since {taken.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}" : "")}] {note}").TrimEnd();

    /// <summary>Reads it back, and the note that was there before.</summary>
    public static (PivotMark? Mark, string Note) Read(string note)
    {
        if (Written().Match(note) is not { Success: true } read)
            return (null, note);
        DateTimeOffset? taken = read.Groups["taken"].Success
            ? DateTimeOffset.Parse(read.Groups["taken"].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
            : null;
        return (new(read.Groups["id"].Value, read.Groups["then"].Value == "runs", taken), read.Groups["note"].Value);
    }

    [GeneratedRegex(@"^\[moving: (?<id>\S+) (?<then>runs|rests)( since (?<taken>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z))?\] ?(?<note>.*)$", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Written();

    /// <summary>From when on what fell due was not acted on; null: nothing is to be made up for.</summary>
    /// <param name="closed">When nothing was to be begun any more where it ran before.</param>
    /// <param name="acted">The last due time that was acted on, as the cluster itself knows it.</param>
    /// <param name="catchUp">For how long the schedule makes up for anything.</param>
    public DateTimeOffset? Missed(DateTimeOffset? closed, DateTimeOffset? acted, TimeSpan catchUp, DateTimeOffset now)
    {
        if (!Runs || closed is not { } from)
            return null;
        // Due times are whole seconds: what was acted on last is not acted on again.
        foreach (var last in new[] { Taken, acted }.OfType<DateTimeOffset>().Select(last => last + TimeSpan.FromMilliseconds(500)))
            from = last > from ? last : from;
        var earliest = catchUp < now - DateTimeOffset.UnixEpoch ? now - catchUp : DateTimeOffset.UnixEpoch;
        from = from > earliest ? from : earliest;
        return from < now ? from : null;
    }
}

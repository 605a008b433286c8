using System.Globalization;

namespace PlatformOps.Platform.Backups;

/// <summary>What a Temporal server that was started on a restored copy says of it, without a way out.</summary>
/// <param name="Persistence">The database with executions and histories.</param>
/// <param name="Version">Of the server.</param>
/// <param name="Kept">As the tables have them.</param>
/// <param name="Seen">The same ones, in the same order, as the server answers them.</param>
/// <param name="Open">How many open executions the tables have, as long as the server ran.</param>
/// <param name="ListedOpen">How many it lists; null: visibility is not in the set.</param>
/// <param name="Ways">Ways out that were tried from where it runs.</param>
/// <param name="WaysOpen">Those of them that lead out.</param>
/// <param name="Blocked">How often it, or what replays, wanted to get out and did not.</param>
/// <param name="Replay">What the program that replays said last, and whether all histories replay; null: there is none.</param>
public sealed record TemporalTrial(
    string Persistence, string Version, IReadOnlyList<RestoredExecution> Kept, IReadOnlyList<RestoredExecution> Seen, long Open, long? ListedOpen, int Ways, IReadOnlyList<string> WaysOpen, long Blocked, TemporalReplay? Replay);

/// <param name="Whole">Whether every history that was given replays.</param>
/// <param name="Said">Its last line.</param>
public sealed record TemporalReplay(bool Whole, string Said);

/// <summary>Judges whether a Temporal goes on from a restored copy.</summary>
public static class TemporalTrialVerdict
{
    /// <summary>How many executions are named.</summary>
    private const int Named = 5;

    /// <summary>What speaks against it and what does not, one sentence each.</summary>
    public static (IReadOnlyList<string> Wrong, IReadOnlyList<string> Right) Of(TemporalTrial trial)
    {
        var runs = trial.Kept.Zip(trial.Seen, Trouble).OfType<string>().ToList();
        List<string> wrong = [.. runs.Count <= Named ? runs : [.. runs.Take(Named), Say($"{runs.Count - Named} more executions are not answered as they have to be.")]];
        if (trial.ListedOpen is { } listed && listed != trial.Open)
            wrong.Add(Say($"Temporal lists {listed} open executions on {trial.Persistence}, which has {trial.Open}."));
        if (trial.Replay is { Whole: false } failed)
            wrong.Add($"Histories of {trial.Persistence} do not replay with the workers' code: {failed.Said}");
        List<string> right =
        [
            Say($"Temporal {trial.Version} started on {trial.Persistence}, without a way out ({trial.Ways} were tried), and described {trial.Seen.Count(run => run.Described is not null)} executions with {trial.Seen.Sum(run => run.Read)} events."),
            trial.Blocked == 0 ? "It did not try to reach anything outside." : Say($"It was kept from reaching something outside {trial.Blocked} times."),
            trial.ListedOpen is null ? "What it lists was not compared: visibility is in no database of this set." : Say($"It lists {trial.ListedOpen} open executions."),
            trial.Replay is { Whole: true } replayed ? $"Their histories were given to the workers' code: {replayed.Said}" : "Their histories were not replayed: no program that does is named (backup.temporal.replay of the guard).",
        ];
        return (wrong, trial.Replay is { Whole: false } ? right[..^1] : right);
    }

    private static string? Trouble(RestoredExecution kept, RestoredExecution seen)
    {
        var name = $"{seen.WorkflowId} ({seen.RunId}) of {seen.Namespace}";
        return seen switch
        {
            { Described: null } => $"Temporal does not know {name}, which is in its tables.",
            { Unbroken: false } => $"Temporal answers a history of {name} with a gap, or without its start.",
            _ when seen.Read < kept.Read => Say($"Temporal answers {seen.Read} events of {name}, which has {kept.Read}."),
            // An open one may have ended meanwhile: timers go on.
            { Described.Open: true } when kept.Described is { Open: false } => $"Temporal says that {name} is open, which has ended.",
            { EndsClosed: false, Described.Open: false } => $"Temporal says that {name} has ended, and its history does not say how.",
            _ => null,
        };
    }

    private static string Say(FormattableString sentence) => sentence.ToString(CultureInfo.InvariantCulture);
}

namespace PlatformOps.Platform.Bootstrap;

/// <summary>Which of the two clusters.</summary>
public enum PivotSide
{
    Source,
    Target,
}

/// <summary>One effect of a move. Each may be carried out twice.</summary>
public abstract record PivotStep
{
    private PivotStep()
    {
    }

    /// <summary>Makes the namespace and the search attributes that the target lacks.</summary>
    public sealed record Prepare(IReadOnlyList<string> Missing) : PivotStep;

    /// <summary>Changes what a cluster says of itself, if it still says what was seen; null removes it.</summary>
    public sealed record Write(PivotSide Side, BootstrapRecord? Record) : PivotStep;

    /// <summary>Pauses a schedule of the source and notes whose it is now.</summary>
    public sealed record Hold(string Schedule, PivotMark Mark) : PivotStep;

    /// <summary>Lets a run of the source stand still.</summary>
    public sealed record Suspend(StandingRun Run) : PivotStep;

    /// <summary>Creates a schedule of the source at the target, paused and marked.</summary>
    public sealed record CopySchedule(string Schedule) : PivotStep;

    /// <summary>Starts a run at the target with all that the suspended one at the source knows. Nobody runs it until the target is active.</summary>
    public sealed record CopyRun(StandingRun Run) : PivotStep;

    /// <summary>Gives a schedule its own note back and lets it run again when it did before; what fell due since then is made up for.</summary>
    public sealed record Release(PivotSide Side, StandingSchedule Schedule, DateTimeOffset? Since) : PivotStep;

    /// <summary>Removes a schedule that is marked.</summary>
    public sealed record Remove(PivotSide Side, StandingSchedule Schedule) : PivotStep;

    /// <summary>Ends a run for good.</summary>
    public sealed record End(PivotSide Side, StandingRun Run) : PivotStep;

    /// <summary>Lets a suspended run of the source go on.</summary>
    public sealed record Resume(StandingRun Run) : PivotStep;

    /// <summary>For operators.</summary>
    public string InWords => this switch
    {
        Prepare step => $"make at the target what it lacks: {string.Join(", ", step.Missing)}",
        Write { Record: null } => "remove the target's record",
        Write { Side: PivotSide.Source, Record.Role: BootstrapRole.HandedOver } step => $"hand over: from here on the target is active, in epoch {step.Record.Epoch} (point of no return)",
        Write { Side: PivotSide.Source, Record.Role: BootstrapRole.HandingOver } => "close the source: nothing new is begun there",
        Write { Side: PivotSide.Source, Record.Role: BootstrapRole.Returning } => "decide at the source that it stays active",
        Write { Side: PivotSide.Source } step => $"open the source, in epoch {step.Record!.Epoch}",
        Write { Record.Role: BootstrapRole.Expecting } => "let the target expect the work: nobody takes any there",
        Write { Record.Role: BootstrapRole.Active } step => $"open the target, in epoch {step.Record.Epoch}",
        Write => "note at the target that it is not active",
        Hold step => $"pause schedule {step.Schedule} at the source",
        Suspend step => $"let run {step.Run.Id} stand still",
        CopySchedule step => $"create schedule {step.Schedule} at the target, paused",
        CopyRun step => $"start run {step.Run.Id} at the target with what it knows",
        Release { Schedule: { Mark.Runs: true } schedule } step => $"let schedule {schedule.Id} run at the {InWord(step.Side)}",
        Release step => $"leave schedule {step.Schedule.Id} paused at the {InWord(step.Side)}, with its own note",
        Remove step => $"remove schedule {step.Schedule.Id} from the {InWord(step.Side)}",
        End step => $"end run {step.Run.Id} at the {InWord(step.Side)}",
        Resume step => $"let run {step.Run.Id} go on at the source",
        _ => throw new InvalidOperationException($"No words for {GetType().Name}."),
    };

    private static string InWord(PivotSide side) => side == PivotSide.Source ? "source" : "target";
}

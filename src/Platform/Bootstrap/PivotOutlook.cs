namespace PlatformOps.Platform.Bootstrap;

/// <summary>What both clusters look like after a step, when nothing else happens: for plans.</summary>
public static class PivotOutlook
{
    /// <summary>The facts after a step.</summary>
    public static PivotFacts After(PivotStep step, PivotFacts facts)
    {
        return step switch
        {
            PivotStep.Prepare => On(PivotSide.Target, target => target with { NamespaceId = target.NamespaceId ?? "(new)", Attributes = facts.Source.Attributes }),
            PivotStep.Write write => On(write.Side, sight => sight with { Record = write.Record }),
            PivotStep.Hold hold => On(PivotSide.Source, sight => With(sight, new StandingSchedule(hold.Schedule, Paused: true, hold.Mark))),
            PivotStep.Suspend suspend => On(PivotSide.Source, sight => With(sight, suspend.Run with { Suspended = true })),
            PivotStep.Resume resume => On(PivotSide.Source, sight => With(sight, resume.Run with { Suspended = false })),
            PivotStep.CopySchedule copy => On(PivotSide.Target, sight => With(sight, facts.Source.Schedules.First(schedule => schedule.Id == copy.Schedule))),
            PivotStep.CopyRun copy => On(PivotSide.Target, sight => With(sight, copy.Run with { Suspended = false, MovedBy = facts.Source.Says.PivotId })),
            PivotStep.Release release => On(release.Side, sight => With(sight, new StandingSchedule(release.Schedule.Id, Paused: release.Schedule.Mark is { Runs: false }))),
            PivotStep.Remove remove => On(remove.Side, sight => sight with { Schedules = [.. sight.Schedules.Where(schedule => schedule.Id != remove.Schedule.Id)] }),
            PivotStep.End end => On(end.Side, sight => sight with { Standing = [.. sight.Standing.Where(run => run.Id != end.Run.Id)] }),
            _ => throw new InvalidOperationException($"No outlook for {step.GetType().Name}."),
        };

        PivotFacts On(PivotSide side, Func<BootstrapSight, BootstrapSight> change) =>
            side == PivotSide.Source ? facts with { Source = change(facts.Source) } : facts with { Target = change(facts.Target) };
    }

    private static BootstrapSight With(BootstrapSight sight, StandingSchedule schedule) =>
        sight with { Schedules = [.. sight.Schedules.Where(known => known.Id != schedule.Id), schedule] };

    private static BootstrapSight With(BootstrapSight sight, StandingRun run) =>
        sight with { Standing = [.. sight.Standing.Where(known => known.Id != run.Id), run] };
}

using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>What a Job should do next.</summary>
/// <param name="Create">Pods to start.</param>
/// <param name="Finished">How it ended; null: it goes on.</param>
/// <param name="Again">When to look again without anything having changed.</param>
internal sealed record JobStep(int Create, JobEnd? Finished, TimeSpan? Again)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(6);

    /// <param name="elapsed">Since the Job started.</param>
    /// <param name="sinceFailure">Since its last pod failed.</param>
    /// <param name="scale">Turns a delay of the behaviours into one of this cluster.</param>
    public static JobStep Next(ClusterObject job, JobCount count, TimeSpan elapsed, TimeSpan sinceFailure, Func<TimeSpan, TimeSpan> scale)
    {
        var limit = job.Spec.Number("backoffLimit") ?? 6;
        var onFailure = job.Spec.At("template").At("spec").Text("restartPolicy") == "OnFailure";
        if (count.Failed > limit || onFailure && count.Restarts > 0 && count.Restarts >= limit)
            return new(0, new(false, "BackoffLimitExceeded", "Job has reached the specified backoff limit"), null);
        TimeSpan? deadlineIn = job.Spec.Number("activeDeadlineSeconds") is { } seconds ? TimeSpan.FromSeconds(seconds) - elapsed : null;
        if (deadlineIn <= TimeSpan.Zero)
            return new(0, new(false, "DeadlineExceeded", "Job was active longer than specified deadline"), null);
        var completions = job.Spec.Number("completions");
        if (completions is null ? count.Succeeded > 0 && count.Active == 0 : count.Succeeded >= completions)
            return new(0, new(true, "CompletionsReached", "Reached expected number of succeeded pods"), null);

        var parallel = job.Spec.Number("parallelism") ?? 1;
        var wanted = completions is { } all ? Math.Min(parallel, all - count.Succeeded) : count.Succeeded > 0 ? count.Active : parallel;
        var missing = Math.Max(0, wanted - count.Active);
        if (missing > 0 && count.Failed > 0)
        {
            var backoff = FirstBackoff * Math.Pow(2, Math.Min(10, count.Failed - 1));
            var left = scale(backoff < LongestBackoff ? backoff : LongestBackoff) - sinceFailure;
            if (left > TimeSpan.Zero)
                return new(0, null, deadlineIn < left ? deadlineIn : left);
        }
        return new(missing, null, deadlineIn);
    }
}

/// <summary>How a Job ended.</summary>
internal sealed record JobEnd(bool Complete, string Reason, string Message);

/// <summary>A Job's pods by how they fare.</summary>
/// <param name="Restarts">Of containers in pods that are still at it.</param>
internal sealed record JobCount(int Active, int Ready, int Succeeded, int Failed, int Restarts);

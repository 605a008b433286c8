namespace PlatformOps.Sandbox.Behaviours.Pods;

/// <summary>What the kubelet goes by when it looks at a pod.</summary>
/// <param name="Now">The time.</param>
/// <param name="Started">When the pod got to its node.</param>
/// <param name="Delay">How long it takes from there to readiness, or to its end when it runs to completion.</param>
/// <param name="Wrong">What is wrong with it.</param>
/// <param name="NextCrash">When a crashing container is started, and crashes, again; null: it has not crashed.</param>
/// <param name="Ip">Its address.</param>
internal sealed record PodOutlook(DateTimeOffset Now, DateTimeOffset Started, TimeSpan Delay, MisbehaviourKind? Wrong, DateTimeOffset? NextCrash, string Ip)
{
    public DateTimeOffset Due => Started + Delay;
}

/// <summary>The stage that a pod is at.</summary>
internal enum PodStage
{
    Creating,
    PullFailed,
    Running,
    Crashed,
    Succeeded,
    Failed,
}

/// <summary>Which stage a pod is at, and when to look again; null: not before something changes.</summary>
internal sealed record PodStep(PodStage Stage, TimeSpan? Again)
{
    /// <param name="isRunning">Whether its containers run already: their images are there.</param>
    /// <param name="restarts">The restart policy: Always, OnFailure or Never.</param>
    public static PodStep Next(PodOutlook outlook, bool isRunning, string restarts)
    {
        var left = outlook.Due - outlook.Now;
        var completes = restarts != "Always";
        switch (outlook.Wrong)
        {
            case MisbehaviourKind.ImagePull when !isRunning:
                return new(PodStage.PullFailed, Scheduler.Recheck);
            case MisbehaviourKind.CrashLoop when isRunning || left <= TimeSpan.Zero:
                return restarts == "Never" ? new(PodStage.Failed, null) : new(PodStage.Crashed, Scheduler.Recheck);
            case not null when !isRunning && left > Scheduler.Recheck:
                return new(PodStage.Creating, Scheduler.Recheck);
        }
        if (left <= TimeSpan.Zero)
            return completes ? new(PodStage.Succeeded, null) : new(PodStage.Running, null);
        // What runs to completion spends the second half of its time running.
        if (completes && left <= outlook.Delay / 2 || isRunning)
            return new(PodStage.Running, completes ? left : null);
        return new(PodStage.Creating, completes ? left - outlook.Delay / 2 : left);
    }
}

namespace PlatformOps.Platform.Scaling;

/// <summary>What becomes of the number of replicas.</summary>
public enum ScalingVerdict
{
    /// <summary>It stays for now; the next look may decide otherwise.</summary>
    Wait,

    /// <summary>It is changed.</summary>
    Scale,

    /// <summary>It is changed when what goes has been emptied, which has to be begun.</summary>
    Empty,

    /// <summary>It must not be changed until somebody has changed something else.</summary>
    Refuse,
}

/// <summary>What becomes of the number of replicas, and why.</summary>
/// <param name="From">How many there are; null: unknown.</param>
/// <param name="To">How many there are to be; the same as <paramref name="From"/> unless it is <see cref="ScalingVerdict.Scale"/>.</param>
/// <param name="Why">One sentence for an operator.</param>
public sealed record ScalingDecision(ScalingVerdict Verdict, int? From, int? To, string Why)
{
    public static ScalingDecision Wait(int? replicas, string why) => new(ScalingVerdict.Wait, replicas, replicas, why);

    public static ScalingDecision Refuse(int? replicas, string why) => new(ScalingVerdict.Refuse, replicas, replicas, why);

    public static ScalingDecision Scale(int from, int to, string why) => new(ScalingVerdict.Scale, from, to, why);
}

/// <summary>A decision, and what the next one has to know.</summary>
public sealed record ScalingOutlook(ScalingDecision Decision, ScalingMemory Memory);

namespace PlatformOps.Platform.Scaling;

/// <summary>What earlier looks at a component found: a scale-in needs more than one look. Small, so that it can be carried along for ever.</summary>
/// <param name="Since">From when on there are looks without a gap; null: this is the first one.</param>
/// <param name="Wanted">How many replicas looks within the stabilisation window asked for: the most first, and then what each later one wanted that was less.</param>
/// <param name="ChangedAt">When the number of replicas was changed last; null: not as far as we know.</param>
public sealed record ScalingMemory(DateTimeOffset? Since, IReadOnlyList<WantedReplicas> Wanted, DateTimeOffset? ChangedAt)
{
    /// <summary>Nothing is known.</summary>
    public static ScalingMemory Empty { get; } = new(null, [], null);

    /// <summary>After the number of replicas was changed, by whomever.</summary>
    public ScalingMemory Changed(DateTimeOffset at) => this with { ChangedAt = at };

    /// <summary>One more look. What a later look wanted more than is not needed any more: the most of the window is all that is asked for, and so the list stays short. Looks that are too far apart prove nothing about the time between them: the window begins anew.</summary>
    internal ScalingMemory With(int wanted, DateTimeOffset at, TimeSpan window)
    {
        var gap = Wanted.Count > 0 && at - Wanted[^1].At > ScalingPolicy.FreshFor;
        IReadOnlyList<WantedReplicas> kept = gap ? [] : [.. Wanted.Where(look => at - look.At <= window && look.Replicas > wanted)];
        return this with { Since = gap ? at : Since ?? at, Wanted = [.. kept, new(at, wanted)] };
    }
}

/// <param name="Replicas">How many would have been enough then.</param>
public sealed record WantedReplicas(DateTimeOffset At, int Replicas);

using PlatformOps.Sandbox;

namespace PlatformOps.Chaos.Tests;

/// <summary>When a worker dies, seen from a side effect.</summary>
public enum KillPoints
{
    /// <summary>The call was about to be sent; then, in the next attempt, it was carried out and nobody heard the answer.</summary>
    BeforeAndAfterEffect,

    /// <summary>The answer was heard, and nothing that came after it was done or told.</summary>
    AfterCompletion,
}

/// <summary>
/// Kills the attempt of a step at every one of its side effects, once at each kill point. An attempt dies on the wire: from then on none of its calls
/// gets through, until the next attempt begins. Steps have to run one at a time.
/// </summary>
internal sealed class EffectKiller(KillPoints points)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, int> effects = [];
    private readonly HashSet<(string Step, int Effect, bool Done)> killed = [];
    private string? step;
    private bool died;

    /// <summary>Side effects there have been.</summary>
    public int Effects
    {
        get
        {
            lock (gate)
                return effects.Values.Sum();
        }
    }

    /// <summary>Attempts that were killed.</summary>
    public int Kills
    {
        get
        {
            lock (gate)
                return killed.Count;
        }
    }

    /// <summary>Whether the attempt that runs has been killed.</summary>
    public bool Died
    {
        get
        {
            lock (gate)
                return died;
        }
    }

    /// <summary>For every stand-in: what the step's calls go through.</summary>
    public IReadOnlyList<Fault> Faults =>
    [
        new() { Kind = FaultKind.Cut, When = Dies },
        new() { Kind = FaultKind.CutAfterEffect, When = DiesUnheard },
    ];

    /// <summary>A step's next attempt begins.</summary>
    public void Begin(string name)
    {
        lock (gate)
            (step, died) = (name, false);
    }

    /// <summary>Nothing is attempted any more.</summary>
    public void End()
    {
        lock (gate)
            (step, died) = (null, false);
    }

    private bool Dies(FaultedCall call)
    {
        lock (gate)
        {
            if (!died && step is not null && call.Changes && points == KillPoints.BeforeAndAfterEffect)
                died = killed.Add((step, effects.GetValueOrDefault(step), Done: false));
            return died;
        }
    }

    private bool DiesUnheard(FaultedCall call)
    {
        lock (gate)
        {
            if (step is null || !call.Changes)
                return false;
            var effect = effects.GetValueOrDefault(step);
            effects[step] = effect + 1;
            died = killed.Add((step, effect, Done: true));
            return died && points == KillPoints.BeforeAndAfterEffect;
        }
    }
}

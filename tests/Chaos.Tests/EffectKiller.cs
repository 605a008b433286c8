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
/// <param name="steps">Whether a step is killed, by its name; default: every step.</param>
internal sealed class EffectKiller(KillPoints points, Func<string, bool>? steps = null)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, int> sent = [];
    private readonly HashSet<(string Step, string Effect)> effects = [];
    private readonly HashSet<(string Step, string Effect, bool Done)> killed = [];
    private readonly SortedSet<string> kinds = new(StringComparer.Ordinal);
    private Action end = () => { };
    private string? step;
    private bool spared, anew, died;

    /// <summary>Side effects there have been. What every attempt does anew counts once.</summary>
    public int Effects
    {
        get
        {
            lock (gate)
                return effects.Count;
        }
    }

    /// <summary>Effects at which no attempt was killed at one of the points. There should be none.</summary>
    public IReadOnlyList<string> Spared
    {
        get
        {
            lock (gate)
                return [.. effects.Where(effect => !WasKilled(effect, done: true) || (points == KillPoints.BeforeAndAfterEffect && !WasKilled(effect, done: false)))
                    .Select(effect => $"{effect.Step}: {effect.Effect}")];
        }
    }

    /// <summary>What the killed calls did: system and operation, without names of objects.</summary>
    public IReadOnlyList<string> Kinds
    {
        get
        {
            lock (gate)
                return [.. kinds];
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
        new() { Kind = FaultKind.Cut, When = call => IsOurs(call) && Dies(call) },
        new() { Kind = FaultKind.CutAfterEffect, When = call => IsOurs(call) && DiesUnheard(call) },
    ];

    /// <summary>A step's next attempt begins.</summary>
    /// <param name="name">Of the step.</param>
    /// <param name="repeats">Whether each attempt makes all of its calls anew, because they are how it finds something out: such a call is known by what it is.
    /// Of any other step each attempt has to get further than the one before, and a call is known by its turn.</param>
    /// <param name="death">Ends what would only wait after its death.</param>
    public void Begin(string name, bool repeats, Action death)
    {
        lock (gate)
            (step, spared, anew, died, end) = (name, steps?.Invoke(name) == false, repeats, false, death);
    }

    /// <summary>Nothing is attempted any more.</summary>
    public void End()
    {
        lock (gate)
            (step, died) = (null, false);
    }

    /// <summary>Key/values of Vault are read, and made where they are missing, by External Secrets, which the sandbox plays; the first secret id of an AppRole with them.</summary>
    private static bool IsOurs(FaultedCall call) => !(call.Path.StartsWith("/v1/", StringComparison.Ordinal)
        && (call.Path.Contains("/data/", StringComparison.Ordinal) || call.Path.StartsWith("/v1/sys/auth/", StringComparison.Ordinal) || call.Path.StartsWith("/v1/auth/approle/", StringComparison.Ordinal)));

    private bool Dies(FaultedCall call)
    {
        lock (gate)
        {
            if (!died && step is not null && !spared && call.Changes && points == KillPoints.BeforeAndAfterEffect)
                died = Kill(call, done: false);
            return died;
        }
    }

    private bool DiesUnheard(FaultedCall call)
    {
        lock (gate)
        {
            if (step is null || spared || !call.Changes)
                return false;
            effects.Add((step, Effect(call)));
            died = Kill(call, done: true);
            sent[step] = sent.GetValueOrDefault(step) + 1;
            return died && points == KillPoints.BeforeAndAfterEffect;
        }
    }

    private bool Kill(FaultedCall call, bool done)
    {
        if (!killed.Add((step!, Effect(call), done)))
            return false;
        _ = Task.Run(end);
        kinds.Add(Kind(call));
        return true;
    }

    private bool WasKilled((string Step, string Effect) effect, bool done) => killed.Contains((effect.Step, effect.Effect, done));

    private string Effect(FaultedCall call) => anew ? $"{call.Method} {call.Path}" : $"{sent.GetValueOrDefault(step!)}";

    /// <summary><c>kubernetes PATCH</c>, <c>s3 PUT tagging</c>, <c>rds CreateDBInstance</c>, <c>temporal RegisterNamespace</c>.</summary>
    private static string Kind(FaultedCall call) => call.Path.Split('/', StringSplitOptions.RemoveEmptyEntries) switch
    {
        ["api" or "apis", ..] => $"kubernetes {call.Method}",
        ["route53", var operation, ..] => $"route53 {operation}",
        ["s3" or "rds", var operation, ..] and [var service, ..] => $"{service} {operation}",
        [var service, var operation] when service.StartsWith("temporal.", StringComparison.Ordinal) => $"temporal {operation}",
        [var service, ..] => $"{service} {call.Method}",
        [] => call.Method,
    };
}

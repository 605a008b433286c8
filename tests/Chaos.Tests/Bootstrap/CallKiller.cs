using PlatformOps.Sandbox;

namespace PlatformOps.Chaos.Tests.Bootstrap;

/// <summary>Kills a process at one of its side effects: from then on none of its calls gets through, until another one takes its place.</summary>
internal sealed class CallKiller
{
    private readonly Lock gate = new();
    private int at, sent;
    private bool after, died;
    private string? named;

    /// <summary>What every call goes through.</summary>
    public IReadOnlyList<Fault> Faults => [new() { Kind = FaultKind.Cut, When = Dies }, new() { Kind = FaultKind.CutAfterEffect, When = DiesUnheard }];

    public bool Died
    {
        get
        {
            lock (gate)
                return died;
        }
    }

    /// <summary>The operation of the call at which it died.</summary>
    public string Killed { get; private set; } = "";

    /// <summary>A new process, which dies at its call number <paramref name="call"/> that changes something, counted from 0; by default at none.</summary>
    /// <param name="afterEffect">The call is carried out, and nobody hears the answer.</param>
    /// <param name="operation">It dies before its first call of this operation.</param>
    public void Begin(int call = int.MaxValue, bool afterEffect = false, string? operation = null)
    {
        lock (gate)
            (at, sent, after, died, named) = (call, 0, afterEffect, false, operation);
    }

    private bool Dies(FaultedCall call)
    {
        lock (gate)
        {
            if (!died && call.Changes && ((sent == at && !after) || (named is not null && call.Path.EndsWith($"/{named}", StringComparison.Ordinal))))
                Die(call);
            return died;
        }
    }

    private bool DiesUnheard(FaultedCall call)
    {
        lock (gate)
        {
            if (!call.Changes)
                return false;
            if (sent == at && after)
                Die(call);
            sent++;
            return died;
        }
    }

    private void Die(FaultedCall call) => (died, Killed) = (true, call.Path[(call.Path.LastIndexOf('/') + 1)..]);
}

using PlatformOps.Platform.Certificates;

namespace PlatformOps.Platform.Secrets;

/// <summary>Something that was handed out for a time: a token, or a login of a database.</summary>
/// <param name="Name">Tells it from others; not the secret itself.</param>
/// <param name="Life">For how long it was handed out first; zero: for ever. Outages are measured by it.</param>
/// <param name="Since">When it was handed out, or renewed last.</param>
/// <param name="Ends">When it ends unless it is renewed.</param>
public sealed record HeldLease(string Name, TimeSpan Life, DateTimeOffset Since, DateTimeOffset Ends, bool Renewable)
{
    /// <summary>When renewing or replacing it was tried last and did not succeed; null: it was not.</summary>
    public DateTimeOffset? TriedAt { get; init; }

    /// <summary>Whether the token by which it was made has been replaced: it ends with that token, whatever its own end.</summary>
    public bool Orphaned { get; init; }
}

/// <summary>What to do with a lease.</summary>
public enum LeaseStep
{
    /// <summary>Use it.</summary>
    Use,

    /// <summary>Have it lengthened; use it when that fails.</summary>
    Renew,

    /// <summary>Ask for another one, and use this one, as long as it lives, until the other one is proved.</summary>
    Replace,
}

/// <param name="Until">When to decide again at the latest.</param>
/// <param name="Why">In words for an operator.</param>
public sealed record LeaseDecision(LeaseStep Step, DateTimeOffset Until, string Why);

/// <summary>When a lease is renewed, and when it is replaced because renewing no longer lengthens it.</summary>
/// <remarks>
/// Invariant: who hands leases out may be out of reach for a third of a lease's life, from any moment on, and the lease is still good afterwards, with time for further attempts. Vault's own client
/// waits for two thirds and a little more (<c>api.LifetimeWatcher</c>), Vault Secrets Operator for 67 percent (<c>renewalPercent</c>): then less than a third is left when the first attempt fails. So it is half here, a little
/// earlier for each, so that what was handed out together is not renewed together.
/// </remarks>
public static class LeasePolicy
{
    private const int RenewAtPercent = 50;

    /// <summary>A renewal that gives less of its life than this was cut by its longest life. With more, at least two fifths of its life are left when it is next due.</summary>
    private const double Full = 0.9;

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>Decides about one that is held.</summary>
    /// <param name="held">Null: there is none.</param>
    public static LeaseDecision Decide(HeldLease? held, DateTimeOffset now)
    {
        if (held is null)
            return new(LeaseStep.Replace, now, "There is none yet.");
        if (held.Life <= TimeSpan.Zero)
            return held.Orphaned ? Attempt(held, LeaseStep.Replace, now, "The token by which it was made was replaced.") : new(LeaseStep.Use, DateTimeOffset.MaxValue, "It does not end.");
        if (now >= held.Ends)
            return new(LeaseStep.Replace, now, $"It ended at {held.Ends:u}.");
        if (held.Orphaned)
            return Attempt(held, LeaseStep.Replace, now, "The token by which it was made was replaced, and it ends with that one.");
        if (held.Ends - held.Since < held.Life * Full)
            return Attempt(held, LeaseStep.Replace, now, $"Its longest life is near: renewing it gave {held.Ends - held.Since} instead of {held.Life}.");
        var due = RenewalPolicy.DueAt(held.Name, held.Since, held.Since + held.Life, RenewAtPercent);
        if (now < due)
            return new(LeaseStep.Use, due, $"It is good until {held.Ends:u}, and due at {due:u}.");
        return Attempt(held, held.Renewable ? LeaseStep.Renew : LeaseStep.Replace, now, $"Half of its life is over; it ends at {held.Ends:u}.");
    }

    /// <summary>How long to wait after an attempt that did not succeed: several attempts fit into what an outage of a third leaves.</summary>
    public static TimeSpan PauseOf(TimeSpan life) => life > TimeSpan.Zero && life / 20 < LongestPause ? life / 20 : LongestPause;

    private static LeaseDecision Attempt(HeldLease held, LeaseStep step, DateTimeOffset now, string why) => held.TriedAt + PauseOf(held.Life) is { } next && now < next
        ? new(LeaseStep.Use, next, $"{why} It was tried a moment ago.")
        : new(step, now, why);
}

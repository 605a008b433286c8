using System.Text.RegularExpressions;

namespace PlatformOps.Platform.Certificates;

/// <summary>What a rotation knows besides what is found in the world.</summary>
/// <param name="Rotation">Its id: part of the name of the root that it makes.</param>
/// <param name="ProvedSince">Since when every look found that every pod serves the new root's certificates; null: the last one did not.</param>
/// <param name="Excused">Consumers that an operator answers for.</param>
/// <param name="Returning">Whether everything goes back to the old root.</param>
/// <param name="ReloadsLate">Whether consumers that take up changes by themselves have had time enough for that.</param>
/// <param name="Validates">Whether certificates of both roots have to be validated before each step that relies on it, and a dropped root stays dropped; runs that began with an earlier release go on as they began.</param>
public sealed record AuthorityProgress(
    string Authority, string Rotation, TimeSpan Settle, DateTimeOffset? ProvedSince, IReadOnlyList<string> Excused, bool Returning, bool ReloadsLate = false, bool Validates = true);

/// <summary>
/// The transition table of an authority's rotation: prepared, active, old, tainted, revoked. From whatever is found to the one next step.
/// </summary>
/// <remarks>
/// Invariants: the new root signs nothing before every pod was proved to trust both. While both are in use everything that says whom to trust names both, so that old and new certificates are believed by
/// old and new consumers: that is validated before the new root signs, before anything is rolled, and, with what will be named then, before a root is dropped. The old root is dropped only when no pod serves a certificate of it, and revoked only when every pod was proved to refuse it. Until it is dropped everything can go back.
/// </remarks>
public static partial class AuthorityPolicy
{
    /// <summary>The next step. The same facts give the same answer.</summary>
    public static AuthorityDecision Decide(ObservedAuthority seen, AuthorityProgress progress)
    {
        if (seen.Consumers.FirstOrDefault(consumer => !consumer.Declared && !progress.Excused.Contains(consumer.Name)) is { } stranger)
            return new(AuthorityStep.Stop, $"{stranger.Name} uses what says whom to trust, and the catalog does not know it: nobody could prove whom it trusts. Declare it, remove it, or skip it if you answer for it.", stranger.Name);
        if (seen.Trouble is { } trouble)
            return new(AuthorityStep.Stop, trouble);
        if (seen.Issuers.FirstOrDefault(issuer => issuer.Signs) is not { } signing)
            return new(AuthorityStep.Stop, "No root signs: Vault's engine has no default issuer. Set one, then retry.");
        var next = Next(seen, progress);
        if (progress.Returning)
            return next is null ? new(AuthorityStep.Finish, "The old root signs, and nobody trusts another one.") : Back(seen, Before(seen, next), next, progress);
        if (next is null)
            return new(AuthorityStep.Prepare, $"{signing.Name} signs until {signing.NotAfter:u} and is to be replaced.");
        return next.Signs ? Over(seen, Before(seen, next), next, progress) : Ahead(seen, signing, next, progress);
    }

    /// <summary>The name of the root that a rotation makes after another one.</summary>
    public static string NameOf(string authority, string rotation, string before) => $"{authority}-{rotation}-after-{before[..8]}";

    /// <summary>The rotation that an earlier run left half-done; null: there is none.</summary>
    public static string? LeftBy(ObservedAuthority seen, string authority)
    {
        foreach (var issuer in seen.Issuers.Where(issuer => !issuer.Revoked && Made().IsMatch(issuer.Name) && issuer.Name.StartsWith($"{authority}-", StringComparison.Ordinal)))
        {
            if (!issuer.Signs || (Before(seen, issuer) is { } before && StateOf(before, issuer, seen) != AuthorityState.Revoked))
                return Made().Match(issuer.Name[(authority.Length + 1)..]).Groups[1].Value;
        }

        return null;
    }

    /// <summary>The root that this rotation makes; null: not yet.</summary>
    public static AuthorityIssuer? Next(ObservedAuthority seen, AuthorityProgress progress) =>
        seen.Issuers.FirstOrDefault(issuer => !issuer.Revoked && issuer.Name.StartsWith($"{progress.Authority}-{progress.Rotation}-after-", StringComparison.Ordinal));

    /// <summary>The root that a made one replaces; null: it is not there any more.</summary>
    public static AuthorityIssuer? Before(ObservedAuthority seen, AuthorityIssuer next) =>
        Made().Match(next.Name) is { Success: true } made ? seen.Issuers.FirstOrDefault(issuer => issuer.Fingerprint.StartsWith(made.Groups[2].Value, StringComparison.Ordinal)) : null;

    /// <summary>Where a root stands.</summary>
    /// <param name="next">The one that the rotation makes.</param>
    public static AuthorityState StateOf(AuthorityIssuer issuer, AuthorityIssuer? next, ObservedAuthority seen) => issuer switch
    {
        { Revoked: true } => AuthorityState.Revoked,
        { Signs: true } => AuthorityState.Active,
        _ when issuer.Id == next?.Id => AuthorityState.Prepared,
        _ when seen.Places.Any(place => place.Trusts.Contains(issuer.Fingerprint)) => AuthorityState.Old,
        _ => AuthorityState.Tainted,
    };

    /// <summary>Whether one state may follow another.</summary>
    public static bool MayFollow(AuthorityState state, AuthorityState next) => (state, next) is
        (AuthorityState.Prepared, AuthorityState.Active) or (AuthorityState.Active, AuthorityState.Old) or (AuthorityState.Old, AuthorityState.Active) or (AuthorityState.Active, AuthorityState.Prepared)
        or (AuthorityState.Old, AuthorityState.Tainted) or (AuthorityState.Tainted, AuthorityState.Revoked);

    /// <summary>Whether there is a way back: everything that says whom to trust still names the old root.</summary>
    public static bool MayReturn(ObservedAuthority seen, AuthorityProgress progress) =>
        Next(seen, progress) is not { } next || !next.Signs || (Before(seen, next) is { Revoked: false } old && seen.Places.All(place => place.Trusts.Contains(old.Fingerprint)));

    private static AuthorityDecision Ahead(ObservedAuthority seen, AuthorityIssuer signing, AuthorityIssuer next, AuthorityProgress progress) =>
        Lacking(seen, next, signing) is { } place ? new(AuthorityStep.AddTrust, $"{place} does not name both roots yet.")
        : (Trust(seen, progress, acceptsNew: true, acceptsOld: true) ?? Believed(seen, progress, crossed => crossed.Together)) is { } unproved ? unproved
        : new(AuthorityStep.Activate, "Every pod was proved to trust both roots: the new one signs from now on.");

    private static AuthorityDecision Over(ObservedAuthority seen, AuthorityIssuer? old, AuthorityIssuer next, AuthorityProgress progress)
    {
        var finished = new AuthorityDecision(AuthorityStep.Finish, $"{next.Name} signs, every pod trusts it, and no older root is trusted anywhere.");
        if (old is null)
            return finished;
        // Pods that are restarted for what is named then serve nothing for a while: that is no reason to trust the old root again.
        var dropped = progress.Validates && seen.Places.All(place => !place.Trusts.Contains(old.Fingerprint) && place.Trusts.Contains(next.Fingerprint));
        if (seen.Leaves.Any(leaf => leaf.Signer != next.Fingerprint || (!dropped && (leaf.Unfinished || leaf.Unserved.Count > 0))))
        {
            if (Lacking(seen, next, old) is { } lacking)
                return new(AuthorityStep.AddTrust, $"{lacking} does not name both roots, and certificates of both are in use.");
            // A root that is revoked signs nothing that pods could be asked with: what is left of it is replaced at once.
            return (old.Revoked ? null : Trust(seen, progress, acceptsNew: true, acceptsOld: true) ?? Believed(seen, progress, crossed => crossed.Together)) ?? Served(seen, leaf => leaf.Signer != next.Fingerprint)!;
        }

        if (seen.Places.Any(place => place.Trusts.Contains(old.Fingerprint) || !place.Trusts.Contains(next.Fingerprint)))
            return Believed(seen, progress, crossed => old.Revoked ? [] : crossed.NewAlone) is { } refused ? refused
                : progress.ProvedSince is { } since && seen.SeenAt - since >= progress.Settle
                ? new(AuthorityStep.DropTrust, $"Every pod has been seen to serve certificates of the new root since {since:u}.")
                : new(AuthorityStep.Settle, "Every pod serves certificates of the new root; that has to hold for a while before the old one is dropped.");
        return old.Revoked ? finished : Trust(seen, progress, acceptsNew: true, acceptsOld: false) ?? Served(seen, leaf => leaf.Signer != next.Fingerprint) ?? new(AuthorityStep.Revoke, "Every pod was proved to refuse certificates of the old root.");
    }

    private static AuthorityDecision Back(ObservedAuthority seen, AuthorityIssuer? old, AuthorityIssuer next, AuthorityProgress progress)
    {
        if (old is null or { Revoked: true })
            return new(AuthorityStep.Stop, "The old root is gone: there is no way back to it.");
        if (next.Signs)
            return new(AuthorityStep.Deactivate, "The old root signs again.");
        if (Served(seen, leaf => leaf.Signer == next.Fingerprint) is { } unserved)
            return unserved.Step == AuthorityStep.Roll ? Believed(seen, progress, crossed => crossed.Together) ?? unserved : unserved;
        if (seen.Places.Any(place => place.Trusts.Contains(next.Fingerprint) || !place.Trusts.Contains(old.Fingerprint)))
            return Believed(seen, progress, crossed => crossed.OldAlone) ?? new(AuthorityStep.RestoreTrust, "Nobody uses a certificate of the new root any more.");
        return Trust(seen, progress, acceptsNew: false, acceptsOld: true) ?? new(AuthorityStep.Discard, "Nobody trusts the new root any more.");
    }

    /// <summary>What is missing until every pod serves what it is to serve; null: nothing. What was rolled and is not served is waited for: another one would not help.</summary>
    private static AuthorityDecision? Served(ObservedAuthority seen, Func<SignedLeaf, bool> other) =>
        seen.Leaves.FirstOrDefault(leaf => other(leaf) || leaf.Unfinished) is { } leaf ? new(AuthorityStep.Roll, $"{leaf.Name} is to be signed by the root that signs now, and served everywhere.", leaf.Name)
        : seen.Leaves.FirstOrDefault(leaf => leaf.Unserved.Count > 0) is { } waiting ? new(AuthorityStep.Wait, $"{waiting.Name} is not served everywhere: {string.Join("; ", waiting.Unserved.Take(5))}", waiting.Name)
        : null;

    /// <summary>What keeps certificates from being believed by who trusts what is named; null: nothing. What was not validated is not taken to be believed.</summary>
    private static AuthorityDecision? Believed(ObservedAuthority seen, AuthorityProgress progress, Func<CrossValidation, IReadOnlyList<string>> refused) => (progress.Validates, seen.Validation) switch
    {
        (false, _) => null,
        (_, null) => new(AuthorityStep.Wait, "It was not validated whether certificates of both roots are believed everywhere."),
        (_, { } crossed) => refused(crossed) is { Count: > 0 } sentences
            ? new(AuthorityStep.Stop, $"{string.Join(" ", sentences.Take(5))} Nobody would accept it: nothing is changed. See to the certificates (times, names, a root of the same name with another key), then retry.")
            : null,
    };

    private static string? Lacking(ObservedAuthority seen, AuthorityIssuer next, AuthorityIssuer old) =>
        seen.Places.FirstOrDefault(place => !place.Trusts.Contains(next.Fingerprint) || !place.Trusts.Contains(old.Fingerprint))?.Name;

    /// <summary>What is missing for the proof that every pod trusts as it should; null: nothing.</summary>
    private static AuthorityDecision? Trust(ObservedAuthority seen, AuthorityProgress progress, bool acceptsNew, bool acceptsOld)
    {
        var unproved = seen.Consumers.Where(consumer => !progress.Excused.Contains(consumer.Name) && !Proved(consumer, acceptsNew, acceptsOld)).OrderBy(consumer => consumer.Name, StringComparer.Ordinal).ToList();
        if (unproved.Find(consumer => consumer.Standing == RestartStanding.Failed) is { } failed)
            return new(AuthorityStep.Stop, $"{failed.Name} does not come up: {failed.Detail}", failed.Name);
        if (unproved.Find(consumer => consumer.Standing == RestartStanding.Changing) is { } changing)
            return new(AuthorityStep.Wait, $"{changing.Name} is being restarted, to trust what it is to trust: {changing.Detail}", changing.Name);
        if (unproved.Find(consumer => consumer.Standing == RestartStanding.Old) is { } old)
            return new(AuthorityStep.Refresh, $"{old.Name} trusts what it read when it started{(old.Asked ? $": {InWords(old, acceptsNew, acceptsOld)}" : ".")}", old.Name);
        // Some take up changed certificates and keep the roots that they had: they are found out by what they answer.
        if (unproved.Find(consumer => consumer is { Standing: RestartStanding.Reloads, Asked: true } && progress.ReloadsLate) is { } late)
            return new(AuthorityStep.Refresh, $"{late.Name} was to take up whom to trust by itself, and goes on with what it read when it started: {InWords(late, acceptsNew, acceptsOld)}", late.Name);
        return unproved.Count == 0 ? null : new(AuthorityStep.Wait, $"Not every pod trusts as it should: {string.Join("; ", unproved.Take(3).Select(consumer => InWords(consumer, acceptsNew, acceptsOld)))}", unproved[0].Name);
    }

    private static bool Proved(TrustingConsumer consumer, bool acceptsNew, bool acceptsOld) => consumer.Asked && consumer.Pods.Count > 0
        ? consumer.Pods.All(pod => pod.AcceptsNew == acceptsNew && pod.AcceptsOld == acceptsOld) && consumer.Standing != RestartStanding.Changing
        : consumer.Standing is RestartStanding.Restarted or RestartStanding.Reloads;

    private static string InWords(TrustingConsumer consumer, bool acceptsNew, bool acceptsOld) =>
        string.Join("; ", consumer.Pods.Where(pod => pod.AcceptsNew != acceptsNew || pod.AcceptsOld != acceptsOld).Take(5).Select(pod => $"{pod.Name}: {pod.Detail}"));

    [GeneratedRegex("^(.+)-after-([0-9a-f]{8})$")]
    private static partial Regex Made();
}

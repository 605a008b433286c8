namespace PlatformOps.Platform.Secrets;

/// <summary>What a rotation knows besides what is found in the world.</summary>
/// <param name="Rotation">Its id: versions that carry it are its own.</param>
/// <param name="Settle">How long the proof has to hold before the previous version is revoked.</param>
/// <param name="ProvedSince">Since when every look found the proof; null: the last one did not.</param>
/// <param name="Excused">Consumers that an operator answers for: they are not waited for.</param>
/// <param name="HoldRefresh">Consumers wait for others: they are restarted once, for several secrets.</param>
public sealed record RotationProgress(string Rotation, TimeSpan Settle, DateTimeOffset? ProvedSince, IReadOnlyList<string> Excused, bool HoldRefresh = false);

/// <summary>
/// The transition table of a rotation: from whatever is found, also what we did not cause, to the one next step.
/// </summary>
/// <remarks>
/// Invariants: the previous version is revoked only when every consumer was proved to use the current one, for the settling time, and nobody has a session with the
/// previous login. Nothing is handed out that the system does not accept. What is unknown is waited for, never acted on. Every step leaves the
/// credential valid that consumers use. Where no consumer is known, nothing begins and nothing is revoked until somebody says that there is none.
/// </remarks>
public static class RotationPolicy
{
    /// <summary>The next step. The same facts give the same answer.</summary>
    public static RotationDecision Decide(ObservedSecret seen, RotationProgress progress)
    {
        var next = Next(seen, progress);
        return IsUnclaimed(seen) && !progress.Excused.Contains(ConsumerName.Nobody) ? Unclaimed(seen, next) : next;
    }

    /// <summary>Whether no consumer was found, and the catalog does not say that there is none.</summary>
    public static bool IsUnclaimed(ObservedSecret seen) => seen is { Places: not null, NoConsumers: null } && IsUnused(seen);

    /// <summary>Whether no consumer was found: servers are what it is for.</summary>
    public static bool IsUnused(ObservedSecret seen) => seen.Consumers.All(consumer => consumer.Server);

    /// <summary>What is mended is mended for whoever uses it; what makes somebody go without who is not known does not happen. Of a password that there is one of, setting the next ends the one before.</summary>
    private static RotationDecision Unclaimed(ObservedSecret seen, RotationDecision next)
    {
        if (next.Step is not (RotationStep.Create or RotationStep.Set or RotationStep.Settle or RotationStep.Revoke))
            return next;
        var state = next.Step is RotationStep.Create or RotationStep.Set ? "Nothing new is handed out." : "The previous version stays valid.";
        return new(
            RotationStep.Stop,
            $"Nobody was found who uses the secret: no Deployment, StatefulSet, DaemonSet or running pod takes values from {string.Join(", ", seen.Places!)}, Argo CD does not read it, and the catalog names nobody who does (readBy). "
            + $"Whoever uses it all the same would be refused. {state} Have its consumer take it from there, or declare who reads it (readBy), or why nobody does (noConsumers), then retryStep; or skip '{ConsumerName.Nobody}' with a reason if you answer for this run.",
            [ConsumerName.Nobody]);
    }

    private static RotationDecision Next(ObservedSecret seen, RotationProgress progress)
    {
        if (seen.Consumers.FirstOrDefault(consumer => !consumer.Declared && !progress.Excused.Contains(consumer.Name)) is { } stranger)
            return new(RotationStep.Stop, $"{stranger.Name} uses the secret, and the catalog does not know it: nobody could prove that it takes up a new value. Declare it, remove it, or skip it if you answer for it.", [stranger.Name]);
        if (seen.Current is null)
            return Begin(seen);
        if (Unknown(seen) is { } unknown)
            return new(RotationStep.Wait, $"It could not be found out whether {unknown} is accepted.");
        if (seen.Current.Standing == CredentialStanding.Refused)
            return seen.Restorable ? Broken(seen, seen.Current) : Gone(seen, seen.Current, progress);
        if (seen.Pending is { } pending)
            return Staged(pending, seen.Current);
        if (seen.Published is null)
            return new(RotationStep.Stop, "The Kubernetes Secret does not exist: provision its component first.");
        if (seen.Published == false)
            return new(RotationStep.Publish, $"The Kubernetes Secret does not hold version {seen.Current.Version} yet.");
        return seen.Current.Rotation == progress.Rotation || Unfinished(seen)
            ? HandedOut(seen, progress)
            : new(RotationStep.Create, $"Version {seen.Current.Version} is in use and is to be replaced.");
    }

    /// <summary>The step with which an abort begins: after it <see cref="Decide"/> goes on, with <see cref="ReturnOf"/> as the rotation where something was handed out.</summary>
    /// <returns>Null: there is no way back any more, only forward.</returns>
    public static RotationDecision? Abort(ObservedSecret seen, RotationProgress progress) => seen.Current switch
    {
        { } current when current.Rotation == progress.Rotation => seen.Previous is { } previous
            ? new(RotationStep.Return, $"Version {current.Version} was handed out: what consumers had before, version {previous.Version}, is handed out again, and then the new one is revoked.")
            : null,
        _ => new(RotationStep.Withdraw, "Nothing was handed out: what was made for it is taken back."),
    };

    /// <summary>The rotation that an earlier run left half-done; null: there is none. It is continued before another one begins.</summary>
    public static string? LeftBy(ObservedSecret seen) => seen.Pending is { Rotation.Length: > 0 } pending ? pending.Rotation : Unfinished(seen) ? seen.Current!.Rotation : null;

    /// <summary>The rotation that takes another one back.</summary>
    public static string ReturnOf(string rotation) => $"{rotation}-return";

    /// <summary>The rotation with which one goes on that takes two versions: see <see cref="ObservedSecret.Further"/>.</summary>
    public static string FurtherOf(string rotation) => $"{rotation}-further";

    /// <summary>Versions of before our first rotation are nobody's business but their owner's.</summary>
    private static bool Unfinished(ObservedSecret seen) => seen is { Current.Rotation.Length: > 0, Previous: not null };

    private static RotationDecision Begin(ObservedSecret seen) => seen.Kept switch
    {
        null => new(RotationStep.Stop, "Neither Vault nor the cluster has the secret: provision its component first."),
        { Standing: CredentialStanding.Accepted } => new(RotationStep.Adopt, "Vault does not have the secret yet; the value in the cluster works and is taken along."),
        { Standing: CredentialStanding.Unknown } => new(RotationStep.Wait, "It could not be found out whether the value in the cluster is accepted."),
        _ => new(RotationStep.Stop, "Vault does not have the secret, and the value in the cluster is not accepted. Write the right one into the Kubernetes Secret, then retry."),
    };

    /// <summary>What consumers use is not accepted: whatever happened, that comes first.</summary>
    private static RotationDecision Broken(ObservedSecret seen, StagedCredential current) =>
        seen.Pending is { Standing: CredentialStanding.Accepted } pending && pending.Login == current.Login
            ? new(RotationStep.Promote, $"The system accepts the pending version and not version {current.Version} any more: it was changed, and only what is kept was not.")
            : new(RotationStep.Restore, $"Version {current.Version}, which consumers use, is not accepted: it was revoked or changed by somebody. It is made valid again.");

    /// <summary>What consumers use was ended by somebody, and nobody can bring it back: only another one helps.</summary>
    private static RotationDecision Gone(ObservedSecret seen, StagedCredential current, RotationProgress progress) => seen.Pending switch
    {
        { } pending => Staged(pending, current),
        null when current.Rotation == progress.Rotation => new(RotationStep.Stop, $"Version {current.Version} was ended by somebody while it was being handed out. Start the rotation again when it is known why."),
        null => new(RotationStep.Create, $"Version {current.Version}, which consumers use, was ended by somebody, and cannot be made valid again: it is replaced."),
    };

    private static RotationDecision Staged(StagedCredential pending, StagedCredential current) => pending switch
    {
        _ when pending.Rotation.Length > 0 && pending.Rotation == current.Rotation => new(RotationStep.Discard, "The pending version is the current one by now."),
        { Standing: CredentialStanding.Accepted } => new(RotationStep.Promote, "The pending version was tried and is accepted."),
        _ => new(RotationStep.Set, "The pending version is kept; the system does not accept it yet."),
    };

    private static RotationDecision HandedOut(ObservedSecret seen, RotationProgress progress)
    {
        var waited = seen.Consumers.Where(consumer => !progress.Excused.Contains(consumer.Name)).ToList();
        if (waited.Find(consumer => consumer.Standing == ConsumerStanding.Failed) is { } failed)
            return new(RotationStep.Stop, $"{failed.Name} does not take up version {seen.Current!.Version}: {failed.Detail} The previous version stays valid.", [failed.Name]) { OnRetry = failed.Asked ? RotationStep.Refresh : null };
        // One at a time: when a new value breaks a consumer, the others go on with the old one.
        if (waited.Find(consumer => consumer.Standing == ConsumerStanding.Changing) is { } changing)
            return new(RotationStep.Wait, $"{changing.Name} is on its way to version {seen.Current!.Version}: {changing.Detail}", [changing.Name]);
        var behind = waited.Where(consumer => consumer.Standing == ConsumerStanding.Old).OrderBy(consumer => consumer.Name, StringComparer.Ordinal).ToList();
        if (behind.Where(consumer => !consumer.Asked).Select(consumer => consumer.Name).ToList() is { Count: > 0 } old)
            return progress.HoldRefresh
                ? new(RotationStep.Wait, $"{old.Count} consumers are restarted once, together with those of other secrets.", old) { Held = true }
                : new(RotationStep.Refresh, $"{old[0]} runs with an older version.", [old[0]]);
        if (behind.Count > 0)
            return new(RotationStep.Refresh, $"{behind.Count} consumers that are not restarted are asked to show that they work with version {seen.Current!.Version}.", [.. behind.Select(consumer => consumer.Name)]);
        // Who is asked is often unknown only because somebody else is.
        if (waited.Where(consumer => consumer.Standing == ConsumerStanding.Unknown).MinBy(consumer => consumer.Asked) is { } unknown)
            return new(RotationStep.Wait, $"It could not be found out which version {unknown.Name} uses: {unknown.Detail}", [unknown.Name]);
        if (seen.Previous is not { } previous)
            return new(RotationStep.Finish, $"Every consumer uses version {seen.Current!.Version}, and no older one is valid.");
        if (seen.Old is { Count: null })
            return new(RotationStep.Wait, $"It could not be found out whether somebody still has a session as {previous.Login}.");
        if (seen.Old is { Count: > 0 } sessions)
            return new(RotationStep.Wait, $"{sessions.Count} sessions as {previous.Login} are still open ({string.Join("; ", sessions.Who)}): it is revoked when they have ended.", sessions.Who);
        return progress.ProvedSince is { } since && seen.SeenAt - since >= progress.Settle
            ? new(RotationStep.Revoke, $"Every consumer has been proved to use version {seen.Current!.Version} since {since:u}.")
            : new(RotationStep.Settle, "Every consumer is proved to use the current version; that has to hold for a while before the previous one is revoked.");
    }

    private static string? Unknown(ObservedSecret seen) =>
        seen.Current is { Standing: CredentialStanding.Unknown } current ? $"version {current.Version}"
        : seen.Pending is { Standing: CredentialStanding.Unknown } ? "the pending version"
        : null;
}

using PlatformOps.Platform.Secrets;

namespace PlatformOps.Platform.Certificates;

/// <summary>What a rotation knows besides what is found in the world.</summary>
/// <param name="Rotation">Its id: certificates that carry it are its own.</param>
/// <param name="Settle">How long the proof has to hold before the old certificate is revoked.</param>
/// <param name="ProvedSince">Since when every look found the proof; null: the last one did not.</param>
/// <param name="Excused">Consumers that an operator answers for: they are not waited for.</param>
public sealed record CertificateProgress(string Rotation, TimeSpan Settle, DateTimeOffset? ProvedSince, IReadOnlyList<string> Excused)
{
    /// <summary>Whether who goes on with a certificate that cert-manager has replaced is restarted; false: as runs that began before that was done.</summary>
    public bool RestartsAfterOthers { get; init; } = true;

    /// <summary>Whether a certificate that nobody is found to serve stops its rotation; false: as runs that began before that was looked at.</summary>
    public bool StopsForNobody { get; init; } = true;
}

/// <summary>
/// The transition table of a certificate's rotation: from whatever is found, also what we did not cause, to the one next step.
/// </summary>
/// <remarks>
/// Invariants: nothing is revoked before every pod of every consumer was seen to serve the current certificate, for the settling time. The current certificate is
/// never revoked. Where nobody is found who serves it, nothing is replaced and nothing revoked until somebody answers for that. What cert-manager owns is never written; who goes on with what it has replaced is restarted. What is unknown is waited for, never acted on.
/// </remarks>
public static class CertificatePolicy
{
    /// <summary>The next step. The same facts give the same answer.</summary>
    public static CertificateDecision Decide(ObservedCertificate seen, CertificateProgress progress)
    {
        if (seen.Owner == CertificateOwner.CertManager)
            return OfCertManager(seen, progress);
        if (seen.Consumers.FirstOrDefault(consumer => !consumer.Declared && !progress.Excused.Contains(consumer.Name)) is { } stranger)
            return new(CertificateStep.Stop, $"{stranger.Name} uses the certificate, and the catalog does not know it: nobody could prove that it takes up a new one. Declare it, remove it, or skip it if you answer for it.", [stranger.Name]);
        if (seen.Current is null)
            return new(CertificateStep.Issue, seen.Trouble ?? "The Kubernetes Secret has no certificate.");
        if (seen.Current.Standing == LeafStanding.Unknown)
            return new(CertificateStep.Wait, "It could not be found out whether the current certificate is revoked.");
        if (Broken(seen, seen.Current) is { } broken)
            return new(CertificateStep.Issue, broken);
        var next = seen.Current.Rotation == progress.Rotation || Unfinished(seen)
            ? HandedOut(seen, seen.Current, progress)
            : new(CertificateStep.Issue, $"The certificate that is valid until {seen.Current.NotAfter:u} is to be replaced.");
        return IsUnclaimed(seen) && progress.StopsForNobody && !progress.Excused.Contains(ConsumerName.Nobody) && next.Step is (CertificateStep.Issue or CertificateStep.Settle or CertificateStep.Revoke)
            ? Unclaimed(next)
            : next;
    }

    /// <summary>Whether pods are asked what they serve, and nobody was found who has any.</summary>
    public static bool IsUnclaimed(ObservedCertificate seen) => seen is { Owner: CertificateOwner.Ours, Served: true, Consumers.Count: 0 };

    private static CertificateDecision Unclaimed(CertificateDecision next) => new(
        CertificateStep.Stop,
        $"Nobody was found who serves the certificate: no workload or pod takes its Secret, and the catalog names nobody who reads it (readBy). Whoever serves it all the same would go on with one that is revoked. "
        + $"{(next.Step == CertificateStep.Issue ? "Nothing new is issued." : "The one of before stays valid.")} Have whoever serves it take it from the Secret, or declare who reads it (readBy), then retryStep; or skip '{ConsumerName.Nobody}' with a reason if you answer for it.",
        [ConsumerName.Nobody]);

    /// <summary>The rotation that an earlier run left half-done; null: there is none. It is ended before another one begins.</summary>
    public static string? LeftBy(ObservedCertificate seen) => seen.Owner == CertificateOwner.Ours && Unfinished(seen) ? seen.Current!.Rotation : null;

    /// <summary>Pods that were not seen to serve the current certificate, as <c>name: why</c>.</summary>
    public static IReadOnlyList<string> Unproved(ObservedCertificate seen) => !seen.Served
        ? []
        : [.. seen.Consumers.SelectMany(consumer => consumer.Pods).Where(pod => pod.Fingerprint is null || pod.Fingerprint != seen.Current?.Fingerprint).Select(pod => $"{pod.Name}: {pod.Detail}")];

    private static bool Unfinished(ObservedCertificate seen) => seen is { Current.Rotation.Length: > 0, Replaced.Count: > 0 };

    private static CertificateDecision OfCertManager(ObservedCertificate seen, CertificateProgress progress)
    {
        if (seen.Current is null)
            return new(CertificateStep.Wait, "cert-manager has not issued it yet.");
        if (seen.Current.NotAfter <= seen.SeenAt)
            return new(CertificateStep.Stop, $"It has expired at {seen.Current.NotAfter:u}, and cert-manager, which owns it, has not renewed it: see the events of its Certificate.");
        var waited = seen with { Consumers = Waited(seen, progress) };
        if (progress.RestartsAfterOthers && Taken(waited, seen.Current) is { } step)
            return step;
        return Unproved(waited) is { Count: > 0 } unproved
            ? new(CertificateStep.Wait, $"cert-manager owns it, and it is not served everywhere: {InWords(unproved)}")
            : new(CertificateStep.Finish, $"cert-manager owns it: it was not written, and every pod was seen to serve the one that is valid until {seen.Current.NotAfter:u}.");
    }

    /// <summary>cert-manager renews, and restarts nobody: who reads its certificate when it starts was seen to serve the one of before. One at a time, as for ours.</summary>
    /// <returns>Null: nobody has to be restarted.</returns>
    private static CertificateDecision? Taken(ObservedCertificate seen, LeafCertificate current)
    {
        var behind = seen.Consumers.Where(consumer => seen.Served && consumer.Declared && consumer.Pods.Count > 0 && !Proved(consumer, seen)).ToList();
        if (behind.Find(consumer => consumer.Standing == RestartStanding.Failed) is { } failed)
            return new(CertificateStep.Stop, $"{failed.Name} does not come up with the certificate that cert-manager has made: {failed.Detail}", [failed.Name]);
        if (behind.Find(consumer => consumer.Standing == RestartStanding.Changing) is { } changing)
            return new(CertificateStep.Wait, $"{changing.Name} is on its way to the certificate that cert-manager has made: {changing.Detail}", [changing.Name]);
        // A pod that makes no handshake at all is not helped by a restart.
        return behind.Where(consumer => consumer.Standing == RestartStanding.Old && consumer.Pods.Any(pod => pod.Fingerprint is { } served && served != current.Fingerprint))
            .Select(consumer => consumer.Name).Order(StringComparer.Ordinal).FirstOrDefault() is { } old
            ? new(CertificateStep.Refresh, $"{old} goes on with the certificate of before: cert-manager has replaced it.", [old])
            : null;
    }

    /// <summary>Whatever happened, a certificate that nobody may accept is replaced; replacing one takes nothing away from anybody.</summary>
    private static string? Broken(ObservedCertificate seen, LeafCertificate current) => current switch
    {
        _ when seen.Trouble is { } trouble => trouble,
        { Standing: LeafStanding.Revoked } => "The current certificate was revoked by somebody.",
        _ when current.NotAfter <= seen.SeenAt => $"The current certificate has expired at {current.NotAfter:u}.",
        _ => null,
    };

    private static CertificateDecision HandedOut(ObservedCertificate seen, LeafCertificate current, CertificateProgress progress)
    {
        var waited = Waited(seen, progress);
        if (waited.Find(consumer => consumer.Standing == RestartStanding.Failed && !Proved(consumer, seen)) is { } failed)
            return new(CertificateStep.Stop, $"{failed.Name} does not come up with the new certificate: {failed.Detail} The one of before stays valid.", [failed.Name]);
        // One at a time: when a new certificate breaks a consumer, the others go on with the old one.
        if (waited.Find(consumer => consumer.Standing == RestartStanding.Changing) is { } changing)
            return new(CertificateStep.Wait, $"{changing.Name} is on its way to the new certificate: {changing.Detail}", [changing.Name]);
        if (waited.Where(consumer => consumer.Standing == RestartStanding.Old && !Proved(consumer, seen)).Select(consumer => consumer.Name).Order(StringComparer.Ordinal).FirstOrDefault() is { } old)
            return new(CertificateStep.Refresh, $"{old} runs with an older certificate.", [old]);
        if (Unproved(seen with { Consumers = waited }) is { Count: > 0 } unproved)
            return new(CertificateStep.Wait, $"Not every pod serves the new certificate: {InWords(unproved)}", [.. waited.Where(consumer => !Proved(consumer, seen)).Select(consumer => consumer.Name)]);
        var left = seen.Replaced.Where(leaf => leaf.Serial != current.Serial).ToList();
        if (left.Count == 0 && seen.Replaced.Count == 0)
            return new(CertificateStep.Finish, $"Every pod serves the certificate that is valid until {current.NotAfter:u}, and no older one is valid.");
        if (left.Exists(leaf => leaf.Standing == LeafStanding.Unknown))
            return new(CertificateStep.Wait, "It could not be found out whether the certificate of before is revoked.");
        return progress.ProvedSince is { } since && seen.SeenAt - since >= progress.Settle
            ? new(CertificateStep.Revoke, $"Every pod has been seen to serve the new certificate since {since:u}.")
            : new(CertificateStep.Settle, "Every pod serves the new certificate; that has to hold for a while before the old one is revoked.");
    }

    private static List<CertificateConsumer> Waited(ObservedCertificate seen, CertificateProgress progress) => [.. seen.Consumers.Where(consumer => !progress.Excused.Contains(consumer.Name))];

    /// <summary>Seen in handshakes: whoever made it take the certificate up.</summary>
    private static bool Proved(CertificateConsumer consumer, ObservedCertificate seen) =>
        seen.Served && consumer.Pods.Count > 0 && consumer.Pods.All(pod => pod.Fingerprint == seen.Current!.Fingerprint);

    private static string InWords(IReadOnlyList<string> pods) => pods.Count <= 5 ? string.Join("; ", pods) : $"{string.Join("; ", pods.Take(5))}; and {pods.Count - 5} more.";
}

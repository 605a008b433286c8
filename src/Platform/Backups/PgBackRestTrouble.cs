namespace PlatformOps.Platform.Backups;

/// <summary>What keeps pgBackRest from working, as whoever has to mend it needs it: what is wrong, and what to do.</summary>
public static class PgBackRestTrouble
{
    /// <summary>In this order: a refusal that says its reason before one that says none. The codes are those of S3 and of servers that speak like it.</summary>
    private static readonly (string[] Words, Func<string, string, string> Says)[] Known =
    [
        (["RequestTimeTooSkewed"], (node, store) => $"The clock of {node} and that of {store} are too far apart, so that {store} refuses every request. Set the clock of {node} right (chronyc tracking); nothing has to be started again."),
        (["ExpiredToken", "TokenRefreshRequired"], (_, store) => $"The credential for {store} has expired. {Renew}"),
        (["InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"], (_, store) => $"{store} does not know the credential: it was revoked, or is another one's. {Renew}"),
        (["AccessDenied", "AllAccessDisabled", "403 (Forbidden)"], (_, store) => $"{store} refuses the credential: it may not do that any more, or has expired. Give it its rights back. {Renew}"),
        (["NoSuchBucket"], (_, store) => $"{store} does not exist any more. Find out who removed it; bring it back from its replica or make it again, then make a full backup."),
        (["StorageFull", "QuotaExceeded", "[507]"], (_, store) => $"{store} has no room left. Give it more, or let go of backups (platformops backup retention); nothing has to be started again."),
        (["No space left on device", "Disk quota exceeded"], (node, _) => $"A disk of {node} is full. Make room (the log that waits to be archived is in pg_wal: remove nothing there by hand); nothing has to be started again."),
        (["HostConnectError", "HostInvalid", "unable to connect to", "unable to get address", "timeout connecting", "unexpected eof", "TLS error", "unable to negotiate TLS", "[503]", "[500]"],
            (node, store) => $"{store} cannot be reached from {node}, or does not answer. Look at the network and at backup.repository.endpoint; nothing has to be started again."),
    ];

    private const string Renew = "Put a valid one into backup.repository.credentialsFile of both nodes; it is read anew each time.";

    /// <param name="said">Everything that pgBackRest wrote.</param>
    /// <param name="node">Where it ran.</param>
    /// <param name="bucket">Where its repository is.</param>
    /// <returns>Null: it is none that is known.</returns>
    public static string? Of(string said, string node, string bucket) =>
        Known.FirstOrDefault(known => known.Words.Any(word => said.Contains(word, StringComparison.Ordinal))).Says?.Invoke(node, $"the bucket {bucket}") is { } sentence
            ? $"{char.ToUpperInvariant(sentence[0])}{sentence[1..]} Nothing is lost meanwhile: {node} keeps the log until it is archived."
            : null;
}

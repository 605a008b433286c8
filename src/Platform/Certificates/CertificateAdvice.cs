namespace PlatformOps.Platform.Certificates;

/// <summary>What a person does next about a certificate that neither we nor cert-manager renew. Each answer is a sentence; null: nothing.</summary>
public static class CertificateAdvice
{
    /// <summary>As the alert: what is left then is time enough to have it done.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    /// <summary>The server certificate of a managed database. RDS renews it, for most engines without a restart, before half of its lifetime is over.</summary>
    public static string? OfDatabase(string instance, DateTimeOffset? ends, DateTimeOffset now) =>
        ends is null ? $"RDS does not say until when the server certificate of {instance} is valid: look at its connectivity and security in the console."
        : ends - now > Soon ? null
        : $"RDS has not renewed the server certificate of {instance}: apply its pending maintenance, or have it restarted (aws rds modify-db-instance --certificate-rotation-restart), in a maintenance window.";

    /// <summary>The authority that has signed it. It ends for everybody at once, and clients have to trust the next one first.</summary>
    public static string? OfDatabaseAuthority(string authority, IReadOnlyList<string> instances, DateTimeOffset? ends, DateTimeOffset now) =>
        ends is null || ends - now > Soon * 6 ? null
        : $"Add the next authority of RDS to certificateAuthority of managed-database and provision it, wait until everybody who connects was restarted, then give {string.Join(", ", instances)} that authority (aws rds modify-db-instance --ca-certificate-identifier) instead of {authority}.";

    /// <summary>What clients trust, where it does not have the authority of an instance: they refuse the connection, now or at their next start.</summary>
    /// <param name="place">Who names whom to trust: <c>ConfigMap namespace/name, ca.pem</c>.</param>
    public static string? OfTrust(string place, string authority, bool named) => named ? null
        : $"{place} does not name {authority}, who has signed the server certificate: clients that verify it refuse the connection. Add the certificates of RDS for the region (truststore.pki.rds.amazonaws.com) to certificateAuthority of managed-database, and provision it.";

    /// <summary>What keeps clients away from somebody else's server now; null: nothing. That it ends soon does not.</summary>
    /// <param name="served">Until when what it served is valid; null: there was no handshake.</param>
    /// <param name="untrusted">Why it does not lead to an authority that clients trust; null: it does.</param>
    public static CertificateProblem? ProblemOf(DateTimeOffset? served, bool isForName, string? untrusted, DateTimeOffset now) =>
        served is null ? CertificateProblem.NoHandshake
        : served <= now ? CertificateProblem.Expired
        : !isForName ? CertificateProblem.WrongName
        : untrusted is not null ? CertificateProblem.Untrusted
        : null;

    /// <summary>Somebody else's server.</summary>
    /// <param name="served">Until when what it served is valid; null: there was no handshake.</param>
    /// <param name="untrusted">Why it does not lead to an authority that clients trust; null: it does.</param>
    /// <param name="detail">What came of the handshake, as a sentence.</param>
    public static string? OfEndpoint(string name, DateTimeOffset? served, bool isForName, string? untrusted, string detail, DateTimeOffset now) =>
        served is null ? $"{detail} See whether {name} is up, and whether it is reached from here."
        : served <= now ? $"The certificate has expired: whoever operates {name} has to renew it now. Until then it is refused."
        : !isForName ? $"The certificate is not for {name}: whoever operates it has to serve the right one, or correct the address."
        : untrusted is not null ? $"The certificate does not lead to an authority that clients trust ({untrusted}): whoever operates {name} has to send what lies between it and its root, or the root has to be stated (certificateAuthority in the connections)."
        : served - now > Soon ? null
        : $"Whoever operates {name} has to renew it.";
}

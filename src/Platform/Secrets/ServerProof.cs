namespace PlatformOps.Platform.Secrets;

/// <summary>What one server says to who shows it a credential.</summary>
/// <param name="Server">The name of its pod, or the address at which it was asked.</param>
public sealed record ServerAnswer(string Server, CredentialStanding Standing);

/// <summary>
/// Whether the servers that a credential is for let the current version in: each pod by itself. Servers take their first credential from the Secret, and no later one; they are not restarted for it. One that was not told, a standby that is
/// behind, or a copy that nobody reaches would refuse consumers when the previous version is revoked.
/// </summary>
public static class ServerProof
{
    /// <summary>How a consumer that is a server stands.</summary>
    /// <param name="name">As consumers are named.</param>
    /// <param name="version">The current version; 0: none yet.</param>
    /// <param name="answers">Of every pod; none: it has none.</param>
    public static SecretConsumer Judge(string name, int version, IReadOnlyList<ServerAnswer> answers)
    {
        var refusing = Named(CredentialStanding.Refused);
        var silent = Named(CredentialStanding.Unknown);
        var (standing, detail) = answers switch
        {
            _ when version == 0 => (ConsumerStanding.Old, "Nothing was handed out yet."),
            [] => (ConsumerStanding.Unknown, "None of its pods is there to be asked. Correct servers in the catalog, or see to its pods."),
            _ when refusing.Count > 0 => (ConsumerStanding.Changing, $"{string.Join(", ", refusing)} does not let in who shows version {version}: it was not told, or is behind the others."),
            _ when silent.Count > 0 => (ConsumerStanding.Unknown, $"{string.Join(", ", silent)} could not be asked."),
            _ => (ConsumerStanding.Current, $"{string.Join(", ", answers.Select(answer => answer.Server))} let in who shows version {version}."),
        };
        return new(name, true, standing, detail) { Server = true };

        List<string> Named(CredentialStanding standing) => [.. answers.Where(answer => answer.Standing == standing).Select(answer => answer.Server)];
    }
}

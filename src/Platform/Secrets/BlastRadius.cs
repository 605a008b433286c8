namespace PlatformOps.Platform.Secrets;

/// <summary>A secret that can be rotated, and by what it can be recognised.</summary>
/// <param name="Path">Where Vault keeps it.</param>
/// <param name="Places">The Kubernetes Secrets that hold it, as <c>namespace/name</c>: the one that consumers have it from, and its copies.</param>
/// <param name="Identities">Whose credential it is: logins, users, roles. Not secret.</param>
/// <param name="Reads">Paths in Vault that it lets read, each with everything below; null for a credential of Vault: everything. Empty for all others.</param>
/// <param name="Unfinished">Whether an earlier rotation left something to do: what that one made may have leaked too.</param>
public sealed record RotatableSecret(
    string Region, string Name, RotationKind Kind, string Path, IReadOnlyList<string> Places, IReadOnlyList<string> Identities, IReadOnlyList<string>? Reads, bool Unfinished);

/// <summary>A workload and the Kubernetes Secrets that it takes values from.</summary>
/// <param name="Workload"><c>namespace/Kind/name</c>.</param>
/// <param name="ServiceAccount"><c>namespace/name</c>.</param>
/// <param name="Secrets"><c>namespace/name</c>.</param>
public sealed record SecretUse(string Region, string Workload, string ServiceAccount, IReadOnlyList<string> Secrets);

/// <summary>A secret that whoever has what leaked can get at.</summary>
/// <param name="Wave">Those of a wave are rotated together; the next wave begins when they are done.</param>
/// <param name="Opens">How many other secrets it lets read.</param>
/// <param name="Why">How it is reached, as a sentence.</param>
/// <param name="Consumers">Who uses it, as <c>namespace/Kind/name</c>.</param>
public sealed record ReachedSecret(string Region, string Name, RotationKind Kind, int Wave, int Opens, string Why, IReadOnlyList<string> Consumers, bool Unfinished);

/// <summary>Everything that a leak reaches.</summary>
/// <param name="Reached">In the order in which it is rotated: what lets read the most first.</param>
/// <param name="Unrotatable">What is reached and nobody rotates, each as a sentence: people have to.</param>
/// <param name="Problem">Why nothing is reached: nobody knows what leaked; null: it is known.</param>
public sealed record LeakPlan(IReadOnlyList<ReachedSecret> Reached, IReadOnlyList<string> Unrotatable, string? Problem);

/// <summary>What a leaked path or identity reaches, by what the catalog declares and the clusters show.</summary>
/// <remarks>A credential of Vault lets read other secrets, new ones too: it has to end before they are replaced, or they are read again. What is not known to be out of reach is in reach.</remarks>
public static class BlastRadius
{
    /// <summary>How many known names a problem lists.</summary>
    private const int Named = 20;

    /// <param name="path">A path in Vault, with everything below it; null when an identity leaked.</param>
    /// <param name="identity">A login, user or role; a service account as <c>namespace/name</c>; a workload as <c>namespace/Kind/name</c>; null when a path leaked.</param>
    public static LeakPlan Of(string? path, string? identity, IReadOnlyList<RotatableSecret> secrets, IReadOnlyList<SecretUse> uses)
    {
        var (reached, unrotatable) = (new Dictionary<RotatableSecret, (int Distance, string Why)>(), new List<string>());
        if (path is not null)
            Begin(secrets.Where(secret => IsBelow(secret.Path, Trimmed(path))), secret => $"It is kept at {secret.Path}.");
        else
        {
            var account = (identity ?? "").StartsWith("system:serviceaccount:", StringComparison.Ordinal) ? identity!["system:serviceaccount:".Length..].Replace(':', '/') : identity ?? "";
            Begin(secrets.Where(secret => secret.Identities.Contains(identity)), secret => $"It is the credential of {identity}.");
            foreach (var use in uses.Where(use => use.ServiceAccount == account || use.Workload == account))
            {
                Begin(secrets.Where(secret => secret.Region == use.Region && secret.Places.Intersect(use.Secrets).Any()), _ => $"{use.Workload} uses it.");
                unrotatable.AddRange(use.Secrets.Where(name => !secrets.Any(secret => secret.Region == use.Region && secret.Places.Contains(name)))
                    .Select(name => $"Secret {name} of {use.Region}, which {use.Workload} uses, is rotated by nobody: replace it by hand, and declare a rotation for it."));
            }
        }

        if (reached.Count == 0 && unrotatable.Count == 0)
            return new([], [], Unknown(path, identity, secrets, uses));
        for (var distance = 0; reached.Any(known => known.Value.Distance == distance); distance++)
        {
            foreach (var opener in reached.Where(known => known.Value.Distance == distance).Select(known => known.Key).ToList())
                foreach (var secret in secrets.Where(secret => !reached.ContainsKey(secret) && Opens(opener, secret)))
                    reached[secret] = (distance + 1, $"{opener.Name} lets read {secret.Path} in Vault.");
        }

        var openers = reached.Keys.Where(opener => secrets.Any(secret => Opens(opener, secret))).ToList();
        // A credential of Vault comes by its distance; all others when nothing is left that lets read what they become.
        var last = openers.Count == 0 ? 0 : openers.Max(opener => reached[opener].Distance) + 1;
        return new(
            [.. reached.Keys.Select(secret => new ReachedSecret(
                    secret.Region, secret.Name, secret.Kind,
                    openers.Contains(secret) ? reached[secret].Distance : openers.Any(opener => Opens(opener, secret)) ? last : 0,
                    secrets.Count(other => Opens(secret, other)), reached[secret].Why,
                    [.. uses.Where(use => use.Region == secret.Region && use.Secrets.Intersect(secret.Places).Any()).Select(use => use.Workload).Order(StringComparer.Ordinal)], secret.Unfinished))
                .OrderBy(secret => secret.Wave).ThenByDescending(secret => secret.Opens).ThenByDescending(secret => secret.Consumers.Count).ThenBy(secret => secret.Name, StringComparer.Ordinal).ThenBy(secret => secret.Region, StringComparer.Ordinal)],
            [.. unrotatable.Distinct().Order(StringComparer.Ordinal)], null);

        void Begin(IEnumerable<RotatableSecret> direct, Func<RotatableSecret, string> why)
        {
            foreach (var secret in direct)
                reached.TryAdd(secret, (0, why(secret)));
        }
    }

    private static bool Opens(RotatableSecret opener, RotatableSecret secret) =>
        opener.Kind is RotationKind.AppRoleSecretId or RotationKind.VaultToken && opener.Region == secret.Region && opener != secret && opener.Reads?.Any(path => IsBelow(secret.Path, Trimmed(path))) != false;

    private static bool IsBelow(string path, string folder) => folder.Length == 0 || path == folder || path.StartsWith($"{folder}/", StringComparison.Ordinal);

    /// <summary>What is staged belongs to what it is staged for.</summary>
    private static string Trimmed(string path)
    {
        var bare = path.Trim('/');
        return bare.EndsWith("/pending", StringComparison.Ordinal) ? bare[..^"/pending".Length] : bare;
    }

    private static string Unknown(string? path, string? identity, IReadOnlyList<RotatableSecret> secrets, IReadOnlyList<SecretUse> uses)
    {
        var known = path is not null ? secrets.Select(secret => secret.Path) : secrets.SelectMany(secret => secret.Identities).Concat(uses.Where(use => use.Secrets.Count > 0).Select(use => use.ServiceAccount));
        var names = known.Distinct().Order(StringComparer.Ordinal).ToList();
        var some = names.Count == 0 ? "There are none." : $"Known: {string.Join(", ", names.Take(Named))}{(names.Count > Named ? $" and {names.Count - Named} more" : "")}.";
        return path is not null
            ? $"No rotation of the catalog keeps anything at {path}. {some}"
            : $"{identity} is no login, user or role of a rotation, and no service account (namespace/name) or workload (namespace/Kind/name) that uses a secret. {some}";
    }
}

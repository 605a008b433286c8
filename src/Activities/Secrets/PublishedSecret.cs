using System.Globalization;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Activities.Secrets;

/// <summary>What a cluster has of a secret: the Kubernetes Secret from which consumers have it, the copies that External Secrets writes, and everybody who uses one of them.</summary>
/// <param name="labels">What our own workloads carry.</param>
internal sealed class PublishedSecret(RotationDefinition rotation, KubernetesConnection cluster, IReadOnlyDictionary<string, string> labels)
{
    /// <summary>Marks what was there before the first rotation.</summary>
    private const string Adopted = "adopted";

    /// <summary>Vault's engine.</summary>
    private const string Mount = "secret";

    /// <summary>For External Secrets to bring what it was asked for; after that it is looked at again, and says itself what is wrong.</summary>
    private static readonly TimeSpan CopyPatience = TimeSpan.FromSeconds(10), BetweenLooks = TimeSpan.FromMilliseconds(200);

    /// <summary>What the Kubernetes Secret holds; null: it is not there, or has no value.</summary>
    public async Task<KeptCredential?> FindAsync(CancellationToken ct) =>
        await new SecretReader(cluster).FindAsync(rotation.Namespace, rotation.Secret, ct) is { } values && values.TryGetValue(rotation.PasswordKey, out var value)
            ? new(Adopted, rotation.UsernameKey is { } key ? values.GetValueOrDefault(key)?.Reveal() : null, value, 0)
            : null;

    /// <summary>Whether the Secret and every copy of it hold a credential.</summary>
    public async Task<bool> HoldsAsync(KeptCredential wanted, CancellationToken ct) =>
        await FindAsync(ct) is { } there && there.Value.Equals(wanted.Value) && (rotation.UsernameKey is null || there.Login == wanted.Login)
        && await BehindAsync(await CopiesAsync(ct), wanted, ct) is null;

    /// <summary>Brings a credential everywhere: what External Secrets writes from Vault, it is asked to read again; all else we write, and then it is asked to copy that.</summary>
    public async Task<string> PublishAsync(KeptCredential current, TimeProvider time, CancellationToken ct)
    {
        var copies = await CopiesAsync(ct);
        if (!copies.Any(IsHome))
            await WriteAsync(current, ct);
        foreach (var copy in copies)
            await new SecretCopies(cluster).RefreshAsync(copy, time.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture), ct);
        var started = time.GetTimestamp();
        while (await BehindAsync(copies, current, ct) is { } behind)
        {
            if (time.GetElapsedTime(started) > CopyPatience)
                throw new AdapterException(AdapterFailureKind.Unavailable, $"External Secrets has not brought version {current.Version} into Secret {behind.Namespace}/{behind.Secret} yet ({behind.Trouble?.TrimEnd('.') ?? $"ExternalSecret {behind.Writer} says nothing"}).");
            await Task.Delay(BetweenLooks, time, ct);
            copies = await CopiesAsync(ct);
        }

        return $"{(copies.Count == 0 ? $"Secret {rotation.Namespace}/{rotation.Secret} holds" : $"{copies.Count + (copies.Any(IsHome) ? 0 : 1)} Secrets hold")} version {current.Version}.";
    }

    /// <summary>The Secrets that hold it, as <c>namespace/name</c>.</summary>
    public async Task<IReadOnlyList<string>> PlacesAsync(CancellationToken ct) =>
        [.. (await CopiesAsync(ct)).Select(copy => $"{copy.Namespace}/{copy.Secret}").Prepend($"{rotation.Namespace}/{rotation.Secret}").Distinct()];

    private bool IsHome(SecretCopy copy) => copy.FromVault && copy.Namespace == rotation.Namespace && copy.Secret == rotation.Secret;

    private Task<IReadOnlyList<SecretCopy>> CopiesAsync(CancellationToken ct) =>
        new SecretCopies(cluster).FindAsync(Mount, rotation.Path, (rotation.Namespace, rotation.Secret), rotation.UsernameKey, rotation.PasswordKey, ct);

    /// <summary>The first copy that holds another version; null: all hold this one.</summary>
    private async Task<SecretCopy?> BehindAsync(IReadOnlyList<SecretCopy> copies, KeptCredential wanted, CancellationToken ct)
    {
        foreach (var copy in copies)
        {
            var there = await new SecretReader(cluster).FindAsync(copy.Namespace, copy.Secret, ct);
            if ((copy.PasswordKey is { } key && there?.GetValueOrDefault(key)?.Equals(wanted.Value) != true) || (copy.UsernameKey is { } user && there?.GetValueOrDefault(user)?.Reveal() != wanted.Login))
                return copy;
        }

        return null;
    }

    /// <summary>Everybody who uses the Secret or a copy of it; who uses several stands where he is least far.</summary>
    /// <returns>With where it was looked for them, as <c>namespace/name</c>.</returns>
    public async Task<(IReadOnlyList<string> Places, IReadOnlyList<SecretConsumer> Consumers)> ConsumersAsync(int version, CancellationToken ct)
    {
        var found = new List<SecretConsumer>();
        var places = (await CopiesAsync(ct)).Select(copy => (copy.Namespace, copy.Secret)).Prepend((rotation.Namespace, rotation.Secret)).Distinct().ToList();
        foreach (var (space, secret) in places)
            found.AddRange(await ConsumersOfAsync(space, secret, version, ct));
        // Nobody to ask is no proof.
        if (rotation.ReadBy is [var first, ..] && !rotation.ReadBy.Any(name => found.Exists(consumer => consumer.Name == name)))
            found.Add(new(first, true, ConsumerStanding.Unknown, $"None of {string.Join(", ", rotation.ReadBy)}, which read it through the API, is there. Install it, or correct readBy."));
        return (
            [.. places.Select(place => $"{place.Namespace}/{place.Secret}")],
            [.. found.GroupBy(consumer => consumer.Name).Select(consumer => consumer.MinBy(use => use.Standing == ConsumerStanding.Current ? 1 : 0)!).OrderBy(consumer => consumer.Name, StringComparer.Ordinal)]);
    }

    private async Task<IReadOnlyList<SecretConsumer>> ConsumersOfAsync(string space, string secret, int version, CancellationToken ct)
    {
        var argo = new ArgoCdReaders(cluster);
        var type = await argo.TypeAsync(space, secret, ct);
        var controllers = type is null ? [] : await argo.ControllersAsync(space, ct);
        var consumers = (await new SecretConsumers(cluster).FindAsync(space, secret, rotation.Secret, version, labels, There(rotation.Reloads.Concat(rotation.Servers)), There(rotation.ReadBy), controllers, ct)).ToList();
        if (type is not null)
        {
            if (controllers.Count == 0)
                consumers.Add(new("StatefulSet/argocd-application-controller", true, ConsumerStanding.Unknown, $"Secret {space}/{secret} has the label by which Argo CD finds it, and no application controller of Argo CD is in its namespace. Install it there, or take the label away."));
            var read = controllers.Count > 0 && consumers.Where(consumer => controllers.Contains(consumer.Name)).All(consumer => consumer.Standing == ConsumerStanding.Current);
            consumers.AddRange(await argo.FindAsync(type, space, secret, rotation.Secret, version, read, ct));
        }

        return [.. consumers.Select(consumer => ConsumerName.In(space, consumer.Name) is var (there, item) ? consumer with { Name = ConsumerName.Of(rotation.Namespace, there, item) } : consumer)];

        List<string> There(IEnumerable<string> names) => [.. names.Select(name => ConsumerName.In(rotation.Namespace, name)).Where(there => there.Namespace == space).Select(there => there.Workload)];
    }

    private async Task WriteAsync(KeptCredential current, CancellationToken ct)
    {
        var values = new Dictionary<string, SecretText> { [rotation.PasswordKey] = current.Value };
        if (rotation.UsernameKey is { } key && current.Login is { } login)
            values[key] = new(login);
        await new SecretWriter(cluster).SetAsync(rotation.Namespace, rotation.Secret, values, ct);
    }
}

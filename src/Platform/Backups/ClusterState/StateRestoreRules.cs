using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Backups.ClusterState;

/// <summary>What a restore of a cluster's state may do with the objects that it meets.</summary>
public sealed record StateRestoreRules
{
    /// <summary>Annotation of objects that lead to a primary: the epoch in which that was decided.</summary>
    public const string EpochAnnotation = "platformops.io/epoch";

    private static readonly string[] Tokens = ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"];

    /// <summary>Into a cluster where nothing runs and nothing is used: all of it comes back.</summary>
    public static StateRestoreRules Quarantine { get; } = new();

    /// <summary>Whether the cluster is in use: what was revoked or decided since the set was made stays so.</summary>
    public bool Fenced { get; init; }

    /// <summary>Whether objects that are there and differ are replaced.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Only what is in these namespaces, and they themselves; empty: everything.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = [];

    /// <summary>The epoch of today; null: nobody can say.</summary>
    public long? Epoch { get; init; }

    /// <summary>When the restore began: what every cluster makes by itself, and has made since then, is written over unasked.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>Whether an object is meant at all.</summary>
    public bool Covers(ResourceAddress address) =>
        Namespaces.Count == 0 || Namespaces.Contains(address.Namespace ?? (address is { ApiVersion: "v1", Kind: "Namespace" } ? address.Name : null));

    /// <summary>Whether an object came after the restore had begun.</summary>
    public bool IsNewer(JsonObject live) =>
        DateTimeOffset.TryParse((string?)live["metadata"]?["creationTimestamp"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var created)
        // Clusters tell whole seconds.
        && created >= Since.AddTicks(-(Since.Ticks % TimeSpan.TicksPerSecond));

    /// <summary>Why an object that is not there is not made again; null: it is.</summary>
    public string? WhyNotCreated(JsonObject archived)
    {
        if (!Fenced)
            return null;
        if (IsSecret(archived))
            return Tokens.Contains((string?)archived["type"]) ? "tokens are not restored: the cluster makes new ones" : OwnerOf(archived) is { } owner ? $"{owner} writes it: its value is that of today" : null;
        return EpochOf(archived) switch
        {
            null => null,
            { } epoch when Epoch is null => $"it was decided in epoch {epoch}, and nobody can say which one is today's",
            { } epoch when epoch < Epoch => $"it was decided in epoch {epoch}, and today's is {Epoch}: whoever decides now makes it",
            _ => null,
        };
    }

    /// <summary>Why an object that is there and differs is never replaced, whoever asks; null: it may be.</summary>
    public string? WhyNotReplaced(JsonObject archived, JsonObject live)
    {
        if (!Fenced)
            return null;
        if (IsSecret(archived))
            return "what it holds today stays, since what the set holds may have been revoked; to have that back all the same, delete it and restore again";
        return (EpochOf(archived), EpochOf(live)) switch
        {
            (var then, { } now) when then is null || then < now => $"it was decided in epoch {now}, and what the set has is {(then is null ? "of none" : $"of epoch {then}")}",
            ({ } then, null) when Epoch is null || then < Epoch => $"what the set has was decided in epoch {then}, and today's is {Epoch?.ToString(CultureInfo.InvariantCulture) ?? "not known"}",
            _ => null,
        };
    }

    private static bool IsSecret(JsonObject manifest) => (string?)manifest["apiVersion"] == "v1" && (string?)manifest["kind"] == "Secret";

    /// <summary>Who brings the values of a Secret from Vault or elsewhere; null: nobody is known.</summary>
    private static string? OwnerOf(JsonObject secret)
    {
        var (labels, annotations) = (secret["metadata"]?["labels"], secret["metadata"]?["annotations"]);
        if ((string?)labels?["reconcile.external-secrets.io/managed"] == "true" || annotations?["reconcile.external-secrets.io/data-hash"] is not null)
            return "External Secrets";
        if ((string?)labels?["app.kubernetes.io/managed-by"] == "hashicorp-vso")
            return "the Vault Secrets Operator";
        return (string?)labels?["secrets-store.csi.k8s.io/managed"] == "true" ? "the Secrets Store CSI driver" : null;
    }

    private static long? EpochOf(JsonObject manifest) =>
        long.TryParse((string?)manifest["metadata"]?["annotations"]?[EpochAnnotation], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) ? epoch : null;
}

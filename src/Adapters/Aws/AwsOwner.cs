using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Aws;

/// <summary>Whose a resource is, as tags. Nothing is changed or removed that does not carry them.</summary>
public sealed record AwsOwner(string Platform, string Environment, string Component)
{
    /// <summary>Further tags: other labels and annotations of a declared object.</summary>
    public IReadOnlyDictionary<string, string> More { get; init; } = new Dictionary<string, string>();

    /// <summary>The tags of a resource.</summary>
    /// <param name="creator">The operation that creates it, whose rollback removes it. Null: it is known of none, as of one that people handed over to us.</param>
    public IReadOnlyDictionary<string, string> Tags(string? creator)
    {
        var tags = new Dictionary<string, string>(More)
        {
            [Ownership.ManagedByLabel] = Ownership.ManagedBy,
            [Ownership.PlatformLabel] = Platform,
            [Ownership.EnvironmentLabel] = Environment,
            [Ownership.ComponentLabel] = Component,
        };
        if (creator is not null)
            tags[Ownership.CreatedByAnnotation] = creator;
        return tags;
    }

    /// <summary>Why a resource with these tags is not ours, as the end of "it exists and ..."; null when it is ours.</summary>
    public string? WhyForeign(IReadOnlyDictionary<string, string> tags)
    {
        if (!tags.TryGetValue(Ownership.ManagedByLabel, out var manager))
            return $"does not say whose it is (no tag {Ownership.ManagedByLabel})";
        if (manager != Ownership.ManagedBy)
            return $"is managed by {manager}";
        var theirs = (tags.GetValueOrDefault(Ownership.PlatformLabel), tags.GetValueOrDefault(Ownership.EnvironmentLabel), tags.GetValueOrDefault(Ownership.ComponentLabel));
        return theirs == (Platform, Environment, Component)
            ? null
            : $"belongs to {theirs.Item3} of {theirs.Item1}/{theirs.Item2}, not to {Component} of {Platform}/{Environment}";
    }
}

/// <summary>What became of a wish to create.</summary>
public enum Creation
{
    /// <summary>It did not exist and was created by this call.</summary>
    Created,

    /// <summary>It existed and is ours: an earlier try made it, whose answer nobody heard.</summary>
    Adopted,
}

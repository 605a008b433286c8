using System.Globalization;
using PlatformOps.Adapters.Aws;

namespace PlatformOps.Adapters.Failover;

/// <summary>What a failover writes on an instance or a cluster of RDS, so that whoever comes next knows how far it came.</summary>
internal static class RdsMarks
{
    /// <summary>The epoch of the last change.</summary>
    public const string Epoch = "platformops.io/epoch";

    /// <summary>The security groups that let clients in, while it is closed.</summary>
    public const string OpenGroups = "platformops.io/open-security-groups";

    /// <summary>The epoch for which the sessions that were open were ended.</summary>
    public const string Rebooted = "platformops.io/closed-for-epoch";

    /// <summary>The epoch for which the cluster has handed over to the other region.</summary>
    public const string HandedOver = "platformops.io/handed-over-for-epoch";

    public static string Text(long epoch) => epoch.ToString(CultureInfo.InvariantCulture);

    public static long EpochOf(IReadOnlyDictionary<string, string> tags) => long.TryParse(tags.GetValueOrDefault(Epoch), out var epoch) ? epoch : 0;

    /// <summary>The groups that it had before it was closed.</summary>
    /// <exception cref="AdapterException">Nobody wrote them down.</exception>
    public static IReadOnlyList<string> OpenGroupsOf(IReadOnlyDictionary<string, string> tags, string subject) =>
        tags.GetValueOrDefault(OpenGroups)?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } groups
            ? groups
            : throw new AdapterException(AdapterFailureKind.Rejected, $"{subject} has no tag {OpenGroups}: nobody knows which security groups it had. Set them by hand.");

    /// <summary>Writes tags; nothing is sent when all are so.</summary>
    public static async Task TagAsync(AwsConnection connection, string subject, string arn, IReadOnlyDictionary<string, string> now, CancellationToken ct, params (string Key, string Value)[] tags)
    {
        if (Array.TrueForAll(tags, tag => now.GetValueOrDefault(tag.Key) == tag.Value))
            return;
        await connection.CallAsync("tag", subject, token => connection.Rds.AddTagsToResourceAsync(
            new() { ResourceName = arn, Tags = [.. tags.Select(tag => new Aws.Sdk.RDS.Model.Tag { Key = tag.Key, Value = tag.Value })] }, token), ct);
    }

    /// <summary>Takes tags away; nothing is sent when none is there.</summary>
    public static async Task UntagAsync(AwsConnection connection, string subject, string arn, IReadOnlyDictionary<string, string> now, CancellationToken ct, params string[] keys)
    {
        if (Array.Exists(keys, now.ContainsKey))
            await connection.CallAsync("untag", subject, token => connection.Rds.RemoveTagsFromResourceAsync(new() { ResourceName = arn, TagKeys = [.. keys] }, token), ct);
    }
}

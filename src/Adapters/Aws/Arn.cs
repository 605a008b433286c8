namespace PlatformOps.Adapters.Aws;

/// <summary>Names of resources across regions and accounts: <c>arn:aws:rds:us-east-1:123456789012:db:orders</c>.</summary>
internal static class Arn
{
    /// <summary>Null when it is no ARN, or one without a region.</summary>
    public static string? RegionOf(string name) => name.Split(':', 6) is ["arn", _, _, { Length: > 0 } region, _, _] ? region : null;
}

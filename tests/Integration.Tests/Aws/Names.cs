using PlatformOps.Adapters.Aws;

namespace PlatformOps.Integration.Tests.Aws;

/// <summary>Names of one test, so that tests do not meet on a server that they share.</summary>
internal static class Names
{
    public static AwsOwner Owner { get; } = new("shop", "production", "orders-db");

    public static AwsOwner Stranger { get; } = new("another", "production", "orders-db");

    public static string New(string what) => $"{what}-{Guid.NewGuid():N}"[..24];
}

namespace PlatformOps.Platform.Secrets;

/// <summary>How consumers are named: <c>Kind/name</c> in the namespace of the secret, <c>namespace/Kind/name</c> elsewhere.</summary>
public static class ConsumerName
{
    /// <summary>What is skipped where no consumer is found: somebody answers for it that there is none.</summary>
    public const string Nobody = "nobody";

    /// <summary>The name of a consumer for a secret of <paramref name="home"/>.</summary>
    /// <param name="workload"><c>Kind/name</c>.</param>
    public static string Of(string home, string space, string workload) => space == home ? workload : $"{space}/{workload}";

    /// <summary>Where it is, and what it is called there.</summary>
    public static (string Namespace, string Workload) In(string home, string name) => name.Split('/') is [var space, var kind, var workload] ? (space, $"{kind}/{workload}") : (home, name);
}

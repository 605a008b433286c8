using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Tests.Catalog;

namespace PlatformOps.Platform.Tests.Specification;

/// <summary>The digest is what runbooks carry: it changes when the meaning does, and only then.</summary>
public class DigestTests
{
    private const string Platform = "platform.yaml";
    private const string Production = "environments/production.yaml";

    public static TheoryData<string, string, string> SameMeaning => new()
    {
        { Production, "database: highly-available", "# a comment\ndatabase:   highly-available # and another" },
        { Production, "database: highly-available", "database: \"highly-available\"" },
        { Production, "database: highly-available\nmonitoring: enterprise", "monitoring: enterprise\ndatabase: highly-available" },
        { Production, "  approvals: 1\n  maxParallel: 4\n", "  maxParallel: 4\n  approvals: 1\n" },
        { Production, "us-west-2: {role: secondary}", "us-west-2:\n    role: secondary" },
        { Production, "us-west-2: {role: secondary}", "us-west-2: {role: secondary, kubernetesContext: us-west-2}" },
        { Production, "approvalTimeout: 24h", "approvalTimeout: 1d" },
        { Platform, "retention: 30d, rto: 15m", "rto: 900s, retention: 720h" },
        { Platform, "  postgresql: {}\n", "  postgresql: {enabled: true}\n" },
        // Whoever approved a plan has approved it at whatever time things run.
        { Platform, "drift: {runbook: DetectDrift, every: 1h}", "drift: {runbook: DetectDrift, every: 2h}" },
        { Platform, "  elasticsearch: {replicas: 3}\n  redis: {replicas: 3}\n", "  redis: {replicas: 3}\n  elasticsearch: {replicas: 3}\n" },
    };

    public static TheoryData<string, string, string> OtherMeaning => new()
    {
        { Production, "maxParallel: 4", "maxParallel: 5" },
        { Production, "approvalTimeout: 24h", "approvalTimeout: 25h" },
        { Production, "us-west-2: {role: secondary}", "us-west-2: {role: secondary, kubernetesContext: other}" },
        { Production, "security: zero-trust", "security: production-like" },
        { Platform, "temporal-frontend: {replicas: 3}", "temporal-frontend: {replicas: 4}" },
        { Platform, "name: reference", "name: another" },
        { Platform, "rpo: 5m", "rpo: 6m" },
    };

    [Theory]
    [MemberData(nameof(SameMeaning))]
    public void Stays_the_same_when_only_order_comments_or_notation_change(string file, string before, string after) =>
        Assert.Equal(Digest(null, "", ""), Digest(file, before, after));

    [Theory]
    [MemberData(nameof(OtherMeaning))]
    public void Changes_with_every_value(string file, string before, string after) =>
        Assert.NotEqual(Digest(null, "", ""), Digest(file, before, after));

    [Fact]
    public void Is_another_for_each_environment() =>
        Assert.Equal(3, CommittedCatalog.Reference.Specification!.Environments.Select(environment => environment.Digest).Distinct().Count());

    private static string Digest(string? file, string before, string after)
    {
        var files = Repository.Texts("examples/reference");
        if (file is not null)
        {
            Assert.Contains(before, files[file], StringComparison.Ordinal);
            files[file] = files[file].Replace(before, after, StringComparison.Ordinal);
        }

        var result = SpecificationReader.Read(files, CommittedCatalog.Catalog);
        Assert.Empty(result.Problems);
        var digest = result.Specification!.Environments.Single(environment => environment.Name == "production").Digest;
        Assert.Matches("^[0-9a-f]{64}$", digest);
        return digest;
    }
}

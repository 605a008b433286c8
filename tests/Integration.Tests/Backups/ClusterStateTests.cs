using System.Text;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>The objects of a cluster: exported, restored into an empty one, compared.</summary>
public abstract class ClusterStateTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("platformops-test-").FullName;

    protected abstract TestCluster Fresh();

    [Fact]
    public async Task What_was_exported_and_restored_into_an_empty_cluster_is_equal_and_what_is_there_is_never_overwritten_unasked()
    {
        var starting = (StateCluster.StartAsync(Fresh()), StateCluster.StartAsync(Fresh()));
        await using var source = await starting.Item1;
        await using var target = await starting.Item2;
        await source.FillAsync();
        var archive = source.Archive(folder);

        var manifest = await source.ExportAsync(archive);
        Assert.Empty(manifest.Unread);
        Assert.Empty((await source.CompareAsync(archive, manifest)).Findings);
        NothingShowsTheCanary(manifest.ToJson());
        Assert.DoesNotContain(manifest.Parts, part => part.Name is "pods" or "replicasets.apps" or "events" or "leases.coordination.k8s.io" or "nodes");
        Assert.Contains(manifest.LeftOut, left => left is { Kind: "secrets", Reason: "they are tokens of this cluster" });

        var restored = await target.RestoreAsync(target.Archive(folder), manifest);
        Assert.Empty(restored.Troubles);
        Assert.True(restored.Created > 20, $"{restored}");
        var comparison = await target.CompareAsync(archive, manifest);
        Assert.Empty(comparison.Findings.Select(finding => finding.Reason));
        Assert.Equal(manifest.Objects, comparison.Compared);

        // Restored, they belong to whom they belonged: a declaration of ours still may change its own.
        var declared = await target.Kubectl.GetAsync(KubectlLike.ConfigMap("shop", "declared"));
        Assert.Contains(declared!["metadata"]!["managedFields"]!.AsArray(), entry => (string?)entry!["manager"] == Ownership.FieldManager && (string?)entry["operation"] == "Apply");
        Assert.DoesNotContain(declared["metadata"]!["managedFields"]!.AsArray(), entry => (string?)entry!["manager"] == "platformops-restore");
        // With its owner's uid of here, or it would be collected as garbage.
        var order = await target.Kubectl.GetAsync("/apis/shop.example.com/v1/namespaces/shop/orders/first");
        var child = await target.Kubectl.GetAsync(KubectlLike.ConfigMap("shop", "child"));
        Assert.Equal((string?)order!["metadata"]!["uid"], (string?)child!["metadata"]!["ownerReferences"]![0]!["uid"]);

        target.Proxy.Forget();
        var again = await target.RestoreAsync(target.Archive(folder), manifest);
        Assert.Equal((0, manifest.Objects, 0), (again.Created, again.Unchanged, again.Troubled));
        Assert.Empty(target.Proxy.Mutations);

        await What_is_there_is_left_unless_overwriting_was_asked_forAsync(target, archive, manifest);
    }

    private async Task What_is_there_is_left_unless_overwriting_was_asked_forAsync(StateCluster cluster, StateArchive archive, ArchiveManifest manifest)
    {
        await cluster.Kubectl.MergeAsync(KubectlLike.Secret("shop", "login"), $$"""{"stringData": {"password": "{{StateCluster.Canary}}-2"} }""");
        await cluster.Kubectl.MergeAsync(KubectlLike.ConfigMap("shop", "settings"), """{"data": {"currency": "USD", "tax": "7"}}""");
        await cluster.Kubectl.MergeAsync("/api/v1/namespaces/shop/services/web", """{"spec": {"ports": [{"port": 80, "targetPort": 8081}]}}""");
        await cluster.Kubectl.DeleteAsync(KubectlLike.ConfigMap("shop", "declared"));
        await cluster.Kubectl.CreateAsync("/api/v1/namespaces/shop/configmaps", """{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}""");

        var findings = (await cluster.CompareAsync(archive, manifest)).Findings.Select(finding => $"{finding.Kind} {finding.Address.Kind} {finding.Address.Name} {finding.Path} {finding.Declared} {finding.Found}".TrimEnd());
        Assert.Equal(
        [
            "Missing ConfigMap declared", "Field ConfigMap settings data.currency EUR USD", "Field ConfigMap settings data.tax  7", "Undeclared ConfigMap new",
            "Field Secret login data.password", "Field Service web spec.ports[port=80,protocol=TCP].targetPort 8080 8081",
        ], findings);

        var careful = await cluster.RestoreAsync(archive, manifest);
        Assert.Equal((1, 0, 3), (careful.Created, careful.Overwritten, careful.Troubled));
        Assert.Contains(careful.Troubles, trouble => trouble.Contains("Secret shop/login differs and was left as it is", StringComparison.Ordinal));
        Assert.Equal("USD", (string?)(await cluster.Kubectl.GetAsync(KubectlLike.ConfigMap("shop", "settings")))!["data"]!["currency"]);

        var thorough = await cluster.RestoreAsync(archive, manifest, overwrite: true);
        Assert.Equal((0, 3, 0), (thorough.Created, thorough.Overwritten, thorough.Troubled));
        Assert.Equal(["us-east-1 ConfigMap shop/new is in the cluster and not in the archive."], (await cluster.CompareAsync(archive, manifest)).Findings.Select(finding => finding.Reason));
        foreach (var text in careful.Troubles.Concat(thorough.Troubles).Concat(findings))
            NothingShowsTheCanary(text);
    }

    public void Dispose()
    {
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Neither a text nor a file of the archive.</summary>
    protected void NothingShowsTheCanary(string text)
    {
        var shapes = new[] { StateCluster.Canary, Convert.ToBase64String(Encoding.UTF8.GetBytes(StateCluster.Canary))[..^4] };
        foreach (var shape in shapes)
        {
            Assert.DoesNotContain(shape, text, StringComparison.Ordinal);
            Assert.All(Directory.GetFiles(folder), file => Assert.True(File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(shape)) < 0, file));
        }
    }

    protected string Folder => folder;
}

public sealed class ClusterStateTestsOnTheSandbox : ClusterStateTests
{
    protected override TestCluster Fresh() => new SandboxCluster();

    [Fact]
    public async Task A_kind_that_cannot_be_read_makes_the_archive_partial_and_is_named()
    {
        await using var cluster = await StateCluster.StartAsync(Fresh());
        await cluster.FillAsync();
        cluster.Proxy.Intercept = call => Task.FromResult<(System.Net.HttpStatusCode, string)?>(call.Path.StartsWith("/api/v1/secrets", StringComparison.Ordinal)
            ? (System.Net.HttpStatusCode.Forbidden, """{"kind":"Status","status":"Failure","reason":"Forbidden","message":"secrets is forbidden"}""") : null);

        var manifest = await cluster.ExportAsync(cluster.Archive(Folder));

        Assert.Contains("secrets could not be read", Assert.Single(manifest.Unread), StringComparison.Ordinal);
        Assert.DoesNotContain(manifest.Parts, part => part.Name == "secrets");
        Assert.Contains(manifest.Parts, part => part.Name == "configmaps");
    }

    [Fact]
    public async Task An_unreachable_cluster_is_no_empty_one()
    {
        await using var cluster = await StateCluster.StartAsync(Fresh());
        cluster.Proxy.Intercept = _ => Task.FromResult<(System.Net.HttpStatusCode, string)?>((System.Net.HttpStatusCode.ServiceUnavailable, ""));

        var failure = await Assert.ThrowsAsync<AdapterException>(() => cluster.ExportAsync(cluster.Archive(Folder)));

        Assert.Equal(AdapterFailureKind.Unavailable, failure.Kind);
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [Fact]
    public async Task A_large_kind_is_read_in_pages()
    {
        await using var cluster = await StateCluster.StartAsync(Fresh());
        await cluster.FillAsync();
        cluster.Proxy.Rewrite = path => path.Replace("limit=100", "limit=2", StringComparison.Ordinal);
        cluster.Proxy.Forget();

        var manifest = await cluster.ExportAsync(cluster.Archive(Folder));

        Assert.Contains(cluster.Proxy.Seen, call => call.Path.StartsWith("/api/v1/configmaps", StringComparison.Ordinal) && call.Path.Contains("continue=", StringComparison.Ordinal));
        Assert.Empty((await cluster.CompareAsync(cluster.Archive(Folder), manifest)).Findings);
    }
}

public sealed class ClusterStateTestsOnARealApiServer : ClusterStateTests
{
    protected override TestCluster Fresh() => new RealApiServer();
}

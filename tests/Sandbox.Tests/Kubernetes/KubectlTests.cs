using System.Diagnostics;

namespace PlatformOps.Sandbox.Tests.Kubernetes;

/// <summary>The official command-line client works against the stand-in.</summary>
public sealed class KubectlTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;
    private SandboxCluster cluster = null!;

    public async ValueTask InitializeAsync()
    {
        cluster = await SandboxCluster.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(folder, "kubeconfig"), cluster.Region.Kubeconfig);
    }

    public async ValueTask DisposeAsync()
    {
        await cluster.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Objects_are_created_applied_changed_shown_and_deleted()
    {
        await ExpectAsync("namespace/shop created", "create", "namespace", "shop");
        await ExpectAsync("deployment.apps/web created", "apply", "-f", Manifest("web:1"));
        await ExpectAsync("deployment.apps/web unchanged", "apply", "-f", Manifest("web:1"));
        await ExpectAsync("deployment.apps/web configured", "apply", "-f", Manifest("web:2"));
        await ExpectAsync("serverside-applied", "apply", "--server-side", "--force-conflicts", "-f", Manifest("web:2"));
        await ExpectAsync("deployment.apps/web scaled", "-n", "shop", "scale", "deployment", "web", "--replicas=4");
        await ExpectAsync("image updated", "-n", "shop", "set", "image", "deployment/web", "web=web:3");
        await ExpectAsync("labeled", "-n", "shop", "label", "deployment", "web", "team=shop");
        await ExpectAsync("0/4", "-n", "shop", "get", "deployments", "-l", "team=shop");
        await ExpectAsync("web:3 4", "-n", "shop", "get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image} {.spec.replicas}");
        await ExpectAsync("Replicas:", "-n", "shop", "describe", "deployment", "web");
        await ExpectAsync("configmap/settings created", "-n", "shop", "create", "configmap", "settings", "--from-literal=a=b");
        await ExpectAsync("secret/key created", "-n", "shop", "create", "secret", "generic", "key", "--from-literal=a=b");
        await ExpectAsync("deployment.apps \"web\" deleted", "-n", "shop", "delete", "deployment", "web", "--cascade=background");
        await ExpectAsync("deployments.apps \"web\" not found", "-n", "shop", "get", "deployment", "web");
    }

    [Fact]
    public async Task Refusals_are_told_as_by_a_real_server()
    {
        await ExpectAsync("namespaces \"nowhere\" not found", "-n", "nowhere", "create", "configmap", "x");
        await ExpectAsync("doesn't have a resource type", "get", "unknowns");
        await ExpectAsync("yes", "auth", "can-i", "create", "pods");
        await ExpectAsync("StatefulSet", "api-resources");
    }

    private string Manifest(string image)
    {
        var file = Path.Combine(folder, "web.yaml");
        File.WriteAllText(file, $$"""
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web, namespace: shop}
            spec:
              selector: {matchLabels: {app: web} }
              template:
                metadata: {labels: {app: web} }
                spec: {containers: [{name: web, image: "{{image}}"}]}
            """);
        return file;
    }

    private async Task ExpectAsync(string expected, params string[] arguments)
    {
        var start = new ProcessStartInfo("kubectl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KUBECONFIG"] = Path.Combine(folder, "kubeconfig");
        start.Environment["HOME"] = folder;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        var text = await output + await errors;
        Assert.True(text.Contains(expected, StringComparison.Ordinal), $"kubectl {string.Join(' ', arguments)} said: {text}");
    }
}

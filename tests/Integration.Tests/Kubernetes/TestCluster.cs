namespace PlatformOps.Integration.Tests.Kubernetes;

/// <summary>A Kubernetes API for tests: the sandbox's, or a real API server. The same tests run on both.</summary>
public abstract class TestCluster : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("platformops-test-").FullName;

    /// <summary>Where the API server listens.</summary>
    public Uri Api { get; protected set; } = null!;

    /// <summary>A bearer token that may do everything.</summary>
    public string Token { get; protected set; } = "";

    /// <summary>Of files of this cluster; removed at the end.</summary>
    public string Folder => folder;

    /// <summary>Why there is no such cluster here; null when there is one.</summary>
    public virtual string? Missing => null;

    public abstract ValueTask InitializeAsync();

    /// <summary>Decides what becomes of the pods of a workload, until it is disposed.</summary>
    public abstract IAsyncDisposable Give(string space, string workload, PodFate fate);

    public virtual ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>A proxy in front of it that counts and can misbehave.</summary>
    public async Task<ApiProxy> ProxyAsync()
    {
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        return await ApiProxy.StartAsync(Api, Token);
    }

    /// <summary>A kubeconfig for one user of an API.</summary>
    public string Kubeconfig(Uri api, string token, string context = "test")
    {
        var file = Path.Combine(Folder, $"{Guid.NewGuid():N}.kubeconfig");
        File.WriteAllText(file, $$"""
            apiVersion: v1
            kind: Config
            current-context: somewhere-else
            clusters:
              - {name: c, cluster: {server: "{{api.ToString().TrimEnd('/')}}", insecure-skip-tls-verify: true} }
            users:
              - {name: u, user: {token: "{{token}}"} }
            contexts:
              - {name: {{context}}, context: {cluster: c, user: u} }
              - {name: somewhere-else, context: {cluster: c, user: u} }
            """);
        return file;
    }
}

/// <summary>What becomes of a workload's pods.</summary>
public enum PodFate
{
    Ready,
    ImagePull,
    CrashLoop,
    Unschedulable,
}

using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary>A kubelet for two Deployments: <c>temporal</c>, the bootstrap server itself at its pod's address, whose mounted Secret follows the cluster's; and <c>platformops-worker</c>, whose pods are
/// workers in processes of their own, which have read their Secret once and end with their pod.</summary>
internal sealed class BootstrapPods : IAsyncDisposable
{
    public const string ServerSecret = "bootstrap-tls", WorkerSecret = "worker-tls", ServerName = "bootstrap.test";
    public const int Port = 17233;

    private readonly CancellationTokenSource stop = new();
    private readonly CertificateWorld world;
    private readonly Cli cli = new();
    private readonly Dictionary<string, RunningCli> workers = [];
    private readonly TimeProvider time = TimeProvider.System;
    private readonly Task watching;
    private BootstrapServerHost? server;

    public BootstrapPods(CertificateWorld world)
    {
        this.world = world;
        world.Connections.Save(Path.Combine(cli.Home, "connections.json"));
        watching = WatchAsync();
    }

    /// <summary>Of the server's pod.</summary>
    public string? Address { get; private set; }

    /// <summary>Workers that were started so far, by their pods.</summary>
    public ConcurrentQueue<string> Started { get; } = [];

    /// <summary>Whether workers are killed with their pods (SIGKILL); otherwise they are told to end first, as a kubelet does.</summary>
    public bool Kills { get; set; } = true;

    /// <summary>Every private key that was mounted.</summary>
    public ConcurrentDictionary<string, bool> Keys { get; } = [];

    /// <summary>What workers that went wrong have written.</summary>
    public string Written
    {
        get
        {
            lock (workers)
                return string.Join('\n', workers.Values.Select(worker => worker.Written));
        }
    }

    public static X509Certificate2 Identity((string Certificate, string Key) mounted)
    {
        using var read = X509Certificate2.CreateFromPem(mounted.Certificate, mounted.Key);
        return X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null);
    }

    public async Task<TemporalClient> ConnectAsync()
    {
        await Wait.UntilAsync(() => Address is not null, () => "The server's pod has no address or no certificate.");
        var (certificate, key, authorities) = (await MountedAsync(WorkerSecret))!.Value;
        return await TemporalClient.ConnectAsync(new($"{Address}:{Port}")
        {
            DataConverter = PlatformOpsDataConverter.Instance,
            Tls = new()
            {
                Domain = ServerName,
                ServerRootCACert = System.Text.Encoding.UTF8.GetBytes(authorities),
                ClientCert = System.Text.Encoding.UTF8.GetBytes(certificate),
                ClientPrivateKey = System.Text.Encoding.UTF8.GetBytes(key),
            },
        });
    }

    /// <summary>What a Secret holds; null: there is none yet.</summary>
    public async Task<(string Certificate, string Key, string Authorities)?> MountedAsync(string secret)
    {
        if ((await world.SecretAsync(secret))?["data"] is not JsonObject data || data["tls.crt"] is null)
            return null;
        var mounted = (CertificateWorld.Text(data["tls.crt"]), CertificateWorld.Text(data["tls.key"]), CertificateWorld.Text(data["ca.crt"]));
        Keys[mounted.Item2] = true;
        return mounted;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await watching;
        foreach (var worker in workers.Values)
            worker.Dispose();
        if (server is not null)
            await server.DisposeAsync();
        cli.Dispose();
        stop.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            var pods = ((await world.Kubectl.GetAsync($"/api/v1/namespaces/{world.Platform.Space}/pods"))!["items"]!.AsArray().OfType<JsonObject>())
                .Where(pod => pod["metadata"]!["deletionTimestamp"] is null && pod["status"]?["podIP"] is not null).ToList();
            if (await MountedAsync(ServerSecret) is { } mounted && pods.Find(pod => Of(pod, "temporal")) is { } serving)
                await ServeAsync((string)serving["status"]!["podIP"]!, mounted);
            await FollowAsync([.. pods.Where(pod => Of(pod, "platformops-worker")).Select(pod => (string)pod["metadata"]!["name"]!)]);
            await Task.WhenAny(Task.Delay(TimeSpan.FromMilliseconds(50), time, stop.Token));
        }
    }

    private async Task ServeAsync(string address, (string, string, string) mounted)
    {
        var files = await WriteAsync("server", mounted);
        if (server is not null)
            return;
        server = await BootstrapServerHost.StartAsync(
            new()
            {
                Host = address,
                Port = Port,
                SearchAttributes = RunbookSearchAttributes.All.ToDictionary(key => key.Name, _ => IndexedValueType.Keyword),
                Access = new() { CertificateFile = files.Certificate, KeyFile = files.Key, ClientAuthorityFile = files.Authorities },
            },
            TestContext.Current.CancellationToken);
        Address = address;
    }

    private async Task FollowAsync(IReadOnlyCollection<string> pods)
    {
        foreach (var gone in workers.Keys.Except(pods).ToList())
        {
            if (!Kills)
            {
                workers[gone].Terminate();
                await workers[gone].EndAsync(TimeSpan.FromSeconds(60));
            }
            else
            {
                await workers[gone].KillAsync();
            }

            lock (workers)
                workers.Remove(gone);
        }

        foreach (var pod in pods.Where(pod => Address is not null && !workers.ContainsKey(pod)))
        {
            if (await MountedAsync(WorkerSecret) is not { } mounted)
                return;
            var files = await WriteAsync(pod, mounted);
            cli["TEMPORAL_ADDRESS"] = $"{Address}:{Port}";
            cli["TEMPORAL_TLS_SERVER_NAME"] = ServerName;
            cli["TEMPORAL_TLS_SERVER_CA_CERT_PATH"] = files.Authorities;
            cli["TEMPORAL_TLS_CLIENT_CERT_PATH"] = files.Certificate;
            cli["TEMPORAL_TLS_CLIENT_KEY_PATH"] = files.Key;
            var catalog = Path.Combine(Path.GetDirectoryName(world.Platform.SpecificationFolder)!, "catalog");
            var worker = cli.Start("worker", "--connections", Path.Combine(cli.Home, "connections.json"), "--specification", world.Platform.SpecificationFolder, "--catalog", catalog);
            Started.Enqueue(pod);
            lock (workers)
                workers.Add(pod, worker);
        }
    }

    private async Task<(string Certificate, string Key, string Authorities)> WriteAsync(string pod, (string Certificate, string Key, string Authorities) mounted)
    {
        var folder = Directory.CreateDirectory(Path.Combine(cli.Home, pod)).FullName;
        return (await FileAsync("tls.crt", mounted.Certificate), await FileAsync("tls.key", mounted.Key), await FileAsync("ca.crt", mounted.Authorities));

        async Task<string> FileAsync(string name, string text)
        {
            var file = Path.Combine(folder, name);
            // Whole or not at all, as the files of a volume change.
            await File.WriteAllTextAsync($"{file}.new", text);
            File.Move($"{file}.new", file, overwrite: true);
            return file;
        }
    }

    private static bool Of(JsonObject pod, string workload) => (string?)pod["metadata"]!["labels"]?["app.kubernetes.io/name"] == workload;
}

using System.Diagnostics;
using System.Security.Cryptography;
using PlatformOps.BootstrapServer.Tests.Access;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Integration.Tests.Kubernetes;

/// <summary>A real kube-apiserver with etcd and the controllers, from the binaries in the folder that <c>KUBEBUILDER_ASSETS</c> names.</summary>
public sealed class RealApiServer : TestCluster
{
    public const string Variable = "KUBEBUILDER_ASSETS";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly List<Process> processes = [];

    private static string? Assets => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? folder : null;

    /// <summary>Who signs the certificates of its etcd and of everybody who may reach that; null: it talks to nobody but this machine, without TLS.</summary>
    internal Authority? EtcdAuthority { get; init; }

    /// <summary>Where its etcd is reached.</summary>
    public Uri Etcd { get; private set; } = new("http://127.0.0.1");

    public override string? Missing => Assets is null ? $"Set {Variable} to a folder with etcd, kube-apiserver and kube-controller-manager to run this on a real API server." : null;

    public override async ValueTask InitializeAsync()
    {
        if (Missing is not null)
            return;
        Token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var tokens = Write("tokens.csv", $"{Token},admin,admin,system:masters\nlimited-token,limited,limited,\n");
        using var rsa = RSA.Create(2048);
        var key = Write("service-accounts.pem", rsa.ExportRSAPrivateKeyPem());
        var (etcd, peer, api) = (LocalPorts.Take(), LocalPorts.Take(), LocalPorts.Take());
        Etcd = new($"{(EtcdAuthority is null ? "http" : "https")}://127.0.0.1:{etcd}");
        var (server, client) = EtcdAuthority is null ? ([], []) : Certificates(EtcdAuthority);
        Start("etcd", [.. server, $"--data-dir={Folder}/etcd", $"--listen-client-urls={Etcd.Scheme}://{Etcd.Authority}", $"--advertise-client-urls={Etcd.Scheme}://{Etcd.Authority}",
            $"--listen-peer-urls=http://127.0.0.1:{peer}", $"--initial-advertise-peer-urls=http://127.0.0.1:{peer}", $"--initial-cluster=default=http://127.0.0.1:{peer}", "--unsafe-no-fsync"]);
        Start("kube-apiserver", [.. client, $"--etcd-servers={Etcd.Scheme}://{Etcd.Authority}", "--bind-address=127.0.0.1", $"--secure-port={api}", $"--cert-dir={Folder}/certificates",
            $"--token-auth-file={tokens}", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24", "--service-account-issuer=https://kubernetes.default.svc",
            $"--service-account-signing-key-file={key}", $"--service-account-key-file={key}", "--disable-admission-plugins=ServiceAccount"]);
        Api = new Uri($"https://127.0.0.1:{api}");
        await UntilReadyAsync();
        Start("kube-controller-manager", $"--kubeconfig={Kubeconfig(Api, Token, "somewhere-else-too")}", "--bind-address=127.0.0.1", "--secure-port=0", "--port=0", "--leader-elect=false",
            "--controllers=*,-nodelifecycle", $"--service-account-private-key-file={key}", $"--cert-dir={Folder}/manager");
    }

    public override IAsyncDisposable Give(string space, string workload, PodFate fate) => new PodPlayer(this, space, _ => fate);

    public override async ValueTask DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(processes))
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        await base.DisposeAsync();
    }

    private static (string[] Server, string[] Client) Certificates(Authority authority)
    {
        var (certificate, key) = authority.IssueServer();
        authority.Client(authority);
        return (
            [$"--trusted-ca-file={authority.CertificateFile}", $"--cert-file={certificate}", $"--key-file={key}", "--client-cert-auth"],
            [$"--etcd-cafile={authority.CertificateFile}", $"--etcd-certfile={authority.PathOf("client.crt")}", $"--etcd-keyfile={authority.PathOf("client.key")}"]);
    }

    private string Write(string name, string text)
    {
        var file = Path.Combine(Folder, name);
        File.WriteAllText(file, text);
        return file;
    }

    private void Start(string program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Assets!, program)) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        var log = TextWriter.Synchronized(new StreamWriter(Path.Combine(Folder, $"{program}.log")) { AutoFlush = true });
        process.OutputDataReceived += (_, line) => log.WriteLine(line.Data);
        process.ErrorDataReceived += (_, line) => log.WriteLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        processes.Add(process);
    }

    private async Task UntilReadyAsync()
    {
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var client = new HttpClient(handler) { DefaultRequestHeaders = { Authorization = new("Bearer", Token) } };
        using var giveUp = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                using var answer = await client.GetAsync(new Uri(Api, "/readyz"), giveUp.Token);
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (HttpRequestException)
            {
                Assert.False(processes.Exists(process => process.HasExited), $"A server ended: {Logs()}");
            }

            await Task.Delay(100, giveUp.Token);
        }
    }

    private string Logs() => string.Join('\n', Directory.GetFiles(Folder, "*.log").SelectMany(file => File.ReadLines(file).TakeLast(5)));
}

using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PlatformOps.Sandbox.Tests.Behaviours;

/// <summary>
/// A real etcd and kube-apiserver on loopback, without any controller, from the folder in KUBEBUILDER_ASSETS. Everybody with the token may do
/// everything. Pods need no service account: nobody here makes its tokens.
/// </summary>
public sealed class ControlPlane : IAsyncDisposable
{
    public const string Variable = "KUBEBUILDER_ASSETS";
    private static readonly TimeSpan StartsWithin = TimeSpan.FromMinutes(3);
    private readonly string _folder = Directory.CreateTempSubdirectory("platformops-control-plane-").FullName;
    private readonly List<Process> _processes = [];

    private ControlPlane(int port) => Api = new($"https://127.0.0.1:{port}");

    public static string? Assets => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? folder : null;

    public Uri Api { get; }

    public string Token { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>Trusts the one certificate that the server made for itself when it started.</summary>
    public HttpMessageHandler Handler() => new SocketsHttpHandler
    {
        SslOptions =
        {
            RemoteCertificateValidationCallback = (_, shown, _, _) =>
            {
                using var own = X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(In("certificates"), "apiserver.crt")));
                return shown is not null && own.RawData.AsSpan().SequenceEqual(shown.GetRawCertData());
            },
        },
    };

    public static async Task<ControlPlane> StartAsync(CancellationToken ct)
    {
        var ports = FreePorts(3);
        var plane = new ControlPlane(ports[0]);
        try
        {
            await plane.RunAsync(ports, ct);
            return plane;
        }
        catch
        {
            await plane.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(_processes))
        {
            if (!process.HasExited)
                process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        Directory.Delete(_folder, recursive: true);
    }

    private async Task RunAsync(int[] ports, CancellationToken ct)
    {
        using (var key = RSA.Create(2048))
            await File.WriteAllTextAsync(In("service-accounts.pem"), key.ExportRSAPrivateKeyPem(), ct);
        await File.WriteAllTextAsync(In("tokens.csv"), $"{Token},tests,tests,system:masters\n", ct);
        var etcd = $"http://127.0.0.1:{ports[1]}";
        Run("etcd", "--data-dir", In("etcd"), "--listen-client-urls", etcd, "--advertise-client-urls", etcd, "--listen-peer-urls", $"http://127.0.0.1:{ports[2]}");
        Run("kube-apiserver", "--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--secure-port", $"{ports[0]}", "--cert-dir", In("certificates"),
            "--token-auth-file", In("tokens.csv"), "--authorization-mode", "AlwaysAllow", "--service-cluster-ip-range", "10.96.0.0/16",
            "--disable-admission-plugins", "ServiceAccount", "--service-account-issuer", "https://kubernetes.default.svc",
            "--service-account-key-file", In("service-accounts.pem"), "--service-account-signing-key-file", In("service-accounts.pem"));
        using var http = new HttpClient(Handler());
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        for (var started = Stopwatch.StartNew(); !await IsReadyAsync(http, ct);)
        {
            if (_processes.Find(process => process.HasExited) is { } gone)
                throw new InvalidOperationException($"{gone.StartInfo.FileName} ended with {gone.ExitCode}. {await LogsAsync(ct)}");
            if (started.Elapsed > StartsWithin)
                throw new InvalidOperationException($"kube-apiserver was not ready within {StartsWithin.TotalSeconds:0} s. {await LogsAsync(ct)}");
            await Task.Delay(50, ct);
        }
    }

    private async Task<bool> IsReadyAsync(HttpClient http, CancellationToken ct)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri(Api, "readyz"), ct);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private void Run(string program, params string[] arguments)
    {
        // Through a shell, so that the output goes to a file and cannot fill a pipe that nobody reads.
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = _folder };
        string[] command = ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1 </dev/null", "sh", In(program + ".log"), Path.Combine(Assets!, program), .. arguments];
        foreach (var argument in command)
            start.ArgumentList.Add(argument);
        _processes.Add(Process.Start(start)!);
    }

    private async Task<string> LogsAsync(CancellationToken ct)
    {
        var logs = Directory.GetFiles(_folder, "*.log");
        var ends = await Task.WhenAll(logs.Select(async log => $"{Path.GetFileName(log)}:\n{string.Join('\n', (await File.ReadAllLinesAsync(log, ct)).TakeLast(15))}"));
        return string.Join('\n', ends);
    }

    private string In(string name) => Path.Combine(_folder, name);

    /// <summary>Ports that nobody listens on, from below the range that the system hands out: no connection of another test gets one of them before its server is there.</summary>
    private static int[] FreePorts(int count)
    {
        var free = new HashSet<int>();
        while (free.Count < count)
        {
            var port = RandomNumberGenerator.GetInt32(10_000, 32_768);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                free.Add(port);
            }
            catch (SocketException)
            {
                // Somebody listens on it.
            }
        }
        return [.. free];
    }
}

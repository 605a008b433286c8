using System.Diagnostics;
using System.Text;
using PlatformOps.BootstrapServer.Tests.Access;
using PlatformOps.Platform.Specification;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>A real etcd that wants mutual TLS, with the programs on the PATH.</summary>
internal sealed class RealEtcd : IAsyncDisposable
{
    private readonly string folder;
    private readonly Process server;
    private readonly int port = LocalPorts.Take();

    private RealEtcd(string folder, int peer)
    {
        this.folder = folder;
        var (certificate, key) = Authority.IssueServer();
        Authority.Client(Authority);
        server = Process.Start(new ProcessStartInfo("etcd", [
            "--data-dir", folder, $"--listen-client-urls=https://127.0.0.1:{port}", $"--advertise-client-urls=https://127.0.0.1:{port}", $"--listen-peer-urls=http://127.0.0.1:{peer}",
            $"--initial-advertise-peer-urls=http://127.0.0.1:{peer}", $"--initial-cluster=default=http://127.0.0.1:{peer}", $"--trusted-ca-file={Authority.CertificateFile}", $"--cert-file={certificate}", $"--key-file={key}", "--client-cert-auth", "--unsafe-no-fsync"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        server.BeginErrorReadLine();
        server.BeginOutputReadLine();
    }

    public const string Secret = "kube-system/etcd-client";

    public Authority Authority { get; } = new("etcd");

    public EtcdSpecification Declared => new(new($"https://127.0.0.1:{port}"), Secret);

    public static string Path => Environment.GetEnvironmentVariable("PATH")!;

    public static async Task<RealEtcd> StartAsync()
    {
        Assert.SkipWhen(Adapters.Etcd.EtcdPrograms.Find(Path) is null, "Put etcd and etcdctl (Debian: etcd-server, etcd-client) on the PATH to run this.");
        return await StartAsync(Directory.CreateTempSubdirectory("platformops-test-etcd-").FullName, LocalPorts.Take());
    }

    /// <summary>On data that is there, of a member with the name <c>default</c>.</summary>
    /// <param name="peer">The port that its peers would use.</param>
    public static async Task<RealEtcd> StartAsync(string folder, int peer)
    {
        var etcd = new RealEtcd(folder, peer);
        await StateCluster.UntilAsync(async () => (await etcd.TryAsync("", "endpoint", "health")).Code == 0);
        return etcd;
    }

    /// <summary>The manifest of the Secret that the specification names.</summary>
    public static string SecretOf(Authority authority) => $$"""
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "etcd-client", "namespace": "kube-system"}, "stringData": {
          "ca.crt": {{Json(authority.CertificateFile)}}, "tls.crt": {{Json(authority.PathOf("client.crt"))}}, "tls.key": {{Json(authority.PathOf("client.key"))}} } }
        """;

    public async Task PutAsync(string name, string value) => Assert.Equal(0, (await TryAsync(value, "put", name)).Code);

    public async Task<string> GetAsync(string name) => (await TryAsync("", "get", name, "--print-value-only")).Output.Trim();

    public void Stop()
    {
        server.Kill();
        server.WaitForExit();
    }

    public ValueTask DisposeAsync()
    {
        Stop();
        server.Dispose();
        Authority.Dispose();
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static string Json(string file) => System.Text.Json.JsonSerializer.Serialize(File.ReadAllText(file));

    private async Task<(int Code, string Output)> TryAsync(string input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("etcdctl", [
            $"--endpoints={Declared.Endpoint.Authority}", $"--cacert={Authority.CertificateFile}", $"--cert={Authority.PathOf("client.crt")}", $"--key={Authority.PathOf("client.key")}", .. arguments])
        {
            Environment = { ["ETCDCTL_API"] = "3" },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = Encoding.ASCII,
        })!;
        process.BeginErrorReadLine();
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output);
    }
}

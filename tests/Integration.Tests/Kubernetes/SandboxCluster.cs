using System.Collections.Concurrent;
using System.Globalization;
using PlatformOps.Adapters.Vault;
using PlatformOps.Sandbox;

namespace PlatformOps.Integration.Tests.Kubernetes;

/// <summary>The sandbox's Kubernetes API. Pods have addresses of this machine, so that tests can answer for them.</summary>
public sealed class SandboxCluster : TestCluster
{
    private const string Region = "us-east-1";

    /// <summary>Another one for tests that somebody runs beside these; those of <c>up</c> and of demonstrations are elsewhere.</summary>
    private static readonly string PodNetwork = string.Create(CultureInfo.InvariantCulture, $"127.{65 + (Environment.ProcessId % 35)}");

    private SandboxHost? host;

    /// <summary>Tokens of Vaults that External Secrets reads, by the address that its stores state.</summary>
    public ConcurrentDictionary<string, string> Vaults { get; } = new();

    /// <summary>Repositories of Argo CD that want to see a password, by address; each answers with how it refuses one, or null.</summary>
    public ConcurrentDictionary<string, Func<string, string?>> Repositories { get; } = new();

    /// <summary>Has Argo CD go on with what it had read of Secrets when its pods started.</summary>
    public void KeepSecrets(string space) => host!.Regions[Region].Misbehave(new(space, "argocd-application-controller", MisbehaviourKind.StaleSecrets));

    public override async ValueTask InitializeAsync()
    {
        host = await SandboxHost.StartAsync(new SandboxOptions { Regions = [Region], TimeScale = 0, PodNetwork = PodNetwork, ReadVault = ReadVaultAsync, OpenRepository = (url, _, password) => Repositories.GetValueOrDefault(url)?.Invoke(password) });
        Api = host.Regions[Region].ApiServer;
        // The only user that it knows.
        Token = host.Regions[Region].Kubeconfig.Split("token: \"")[1].Split('"')[0];
    }

    public override IAsyncDisposable Give(string space, string workload, PodFate fate)
    {
        var region = host!.Regions[Region];
        if (fate != PodFate.Ready)
            region.Misbehave(new(space, workload, Enum.Parse<MisbehaviourKind>(fate.ToString())));
        return new Restored(region, space, workload);
    }

    public override async ValueTask DisposeAsync()
    {
        await host!.DisposeAsync();
        await base.DisposeAsync();
    }

    private async Task<IReadOnlyDictionary<string, string>?> ReadVaultAsync(string region, string address, string mount, string path, IReadOnlyList<string> properties, CancellationToken ct)
    {
        if (!Vaults.TryGetValue(address, out var token))
            throw new InvalidOperationException($"nobody is at {address}");
        using var connection = VaultConnection.Open(new("external-secrets", new(address)), new GivenToken(new(token)));
        return (await new VaultKeyValues(connection, mount).ReadAsync(path, ct))?.Values?.ToDictionary(value => value.Key, value => value.Value.Reveal());
    }

    private sealed class Restored(SandboxRegion region, string space, string workload) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            region.Behave(space, workload);
            return ValueTask.CompletedTask;
        }
    }
}

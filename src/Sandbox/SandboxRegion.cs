using System.Collections.Concurrent;
using System.Text;
using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Behaviours;
using PlatformOps.Sandbox.Behaviours.Traffic;

namespace PlatformOps.Sandbox;

/// <summary>One region of a sandbox: a Kubernetes cluster.</summary>
public sealed class SandboxRegion
{
    private readonly ApiServer api;
    private readonly ApiServerTokens tokens;
    private readonly ConcurrentDictionary<(string Namespace, string Workload), MisbehaviourKind> misbehaviours = new();
    private readonly Dictionary<(string Namespace, string Name), ServiceForwarder> forwarders = [];
    private ClusterBehaviours? behaviours;

    private SandboxRegion(string name, ApiServer api, ApiServerTokens tokens) => (Name, this.api, this.tokens) = (name, api, tokens);

    public string Name { get; }

    /// <summary>The Kubernetes API, over TLS on loopback; <see cref="Kubeconfig"/> says whom to trust.</summary>
    public Uri ApiServer => api.Address;

    /// <summary>The context in <see cref="Kubeconfig"/>: <c>platformops-sandbox-NAME</c>, so that nobody takes it for another cluster.</summary>
    public string Context => $"platformops-sandbox-{Name}";

    /// <summary>The text of a kubeconfig with the only token that may call; it changes with every start.</summary>
    public string Kubeconfig => $$"""
        apiVersion: v1
        kind: Config
        current-context: {{Context}}
        clusters:
        - name: {{Context}}
          cluster: {server: "{{ApiServer.GetLeftPart(UriPartial.Authority)}}", certificate-authority-data: {{Authority}} }
        users:
        - name: {{Context}}
          user: {token: "{{tokens.Users}}"}
        contexts:
        - name: {{Context}}
          context: {cluster: {{Context}}, user: {{Context}}}

        """;

    /// <summary>Calls on the wire that may change something; neither those of the sandbox's own controllers nor dry runs count.</summary>
    public long MutatingCalls => api.MutatingCalls;

    /// <summary>Calls on the wire that change nothing, without those of the sandbox's own controllers.</summary>
    public long ReadCalls => api.ReadCalls;

    /// <summary>Where a Service of <see cref="SandboxOptions.Services"/> answers, <c>host:port</c>; the same for the sandbox's whole life.</summary>
    /// <exception cref="ArgumentException">The options do not name it.</exception>
    public string ServiceAddress(string space, string name) => forwarders.TryGetValue((space, name), out var forwarder)
        ? forwarder.Address
        : throw new ArgumentException($"Nothing answers behind Service {space}/{name} in {Name}: name it in the options' Services.", nameof(name));

    /// <summary>Starts counting calls anew.</summary>
    public void ResetCounters() => api.ResetCounters();

    /// <summary>Makes the pods of a workload go wrong from now on.</summary>
    public void Misbehave(Misbehaviour misbehaviour)
    {
        misbehaviours[(misbehaviour.Namespace, misbehaviour.Workload)] = misbehaviour.Kind;
        behaviours?.Reconsider();
    }

    /// <summary>Ends the misbehaviour of a workload: its pods recover.</summary>
    public void Behave(string space, string workload)
    {
        if (misbehaviours.TryRemove((space, workload), out _))
            behaviours?.Reconsider();
    }

    /// <summary>Makes calls go wrong from now on.</summary>
    public void Inject(Fault fault) => api.Faults.Add(fault);

    /// <summary>Ends all faults.</summary>
    public void ClearFaults() => api.Faults.Clear();

    /// <summary>Forgets the past, as a server does after a compaction: watches that are behind end with 410 Gone.</summary>
    public void Compact() => api.Compact();

    private string Authority => Convert.ToBase64String(Encoding.ASCII.GetBytes(api.CertificateAuthority));

    internal Uri PlainAddress => api.PlainAddress;

    internal string ControllersToken => tokens.Controllers;

    internal static async Task<SandboxRegion> StartAsync(string name, SandboxOptions options, CancellationToken ct)
    {
        var tokens = new ApiServerTokens(Guid.NewGuid().ToString("N"), Guid.NewGuid().ToString("N"));
        var file = options.DataFolder is { } folder ? Path.Combine(folder, $"{name}.db") : null;
        var api = await Api.ApiServer.StartAsync(file, tokens, options.Seed, options.TimeProvider, ct);
        var region = new SandboxRegion(name, api, tokens);
        try
        {
            if (options.Alive)
                await region.ComeToLifeAsync(options, ct);
            return region;
        }
        catch
        {
            await region.DisposeAsync();
            throw;
        }
    }

    internal async ValueTask DisposeAsync()
    {
        foreach (var forwarder in forwarders.Values)
            await forwarder.DisposeAsync();
        if (behaviours is not null)
            await behaviours.DisposeAsync();
        await api.DisposeAsync();
    }

    private async Task ComeToLifeAsync(SandboxOptions options, CancellationToken ct)
    {
        behaviours = await ClusterBehaviours.StartAsync(
            new(api.PlainAddress, tokens.Controllers, options.Seed, options.TimeScale, options.TimeProvider, MisbehaviourOf)
            {
                PodNetwork = options.PodNetwork,
                ReadVault = options.ReadVault is { } reading ? (server, mount, path, properties, reads) => reading(Name, server, mount, path, properties, reads) : null,
                OpenRepository = options.OpenRepository,
            }, ct);
        foreach (var service in options.Services.Where(service => service.Region == Name))
            forwarders[(service.Namespace, service.Name)] = await ServiceForwarder.StartAsync(behaviours, service.Namespace, service.Name, service.Target);
    }

    private MisbehaviourKind? MisbehaviourOf(string space, string workload) =>
        misbehaviours.TryGetValue((space, workload), out var kind) ? kind : null;
}

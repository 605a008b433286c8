namespace PlatformOps.Sandbox;

/// <summary>How a sandbox runs.</summary>
public sealed record SandboxOptions
{
    /// <summary>Where the objects of each region are kept, one SQLite file per region; null keeps them in memory. Default null.</summary>
    public string? DataFolder { get; init; }

    /// <summary>A Kubernetes cluster of its own for each of these names.</summary>
    public required IReadOnlyList<string> Regions { get; init; }

    /// <summary>Decides how long pods take and which calls faults hit: the same seed gives the same. Default 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Multiplies how long everything takes; 0: nothing takes any time. Default 1. At least 0.</summary>
    public double TimeScale { get; init; } = 1;

    /// <summary>What answers behind Services.</summary>
    public IReadOnlyList<SandboxService> Services { get; init; } = [];

    /// <summary>The first two numbers of every pod's address. In <c>127.0</c> to <c>127.255</c> pods have addresses of this machine, where somebody can answer for them. Default <c>10.244</c>.</summary>
    public string PodNetwork { get; init; } = "10.244";

    /// <summary>Reads a secret for External Secrets: the region, the address that its store states, the mount of a key/value engine, the path, which properties are asked for; answers with its values, or null when there is none. Null: no Vault can be
    /// read, and values are made up.</summary>
    public Func<string, string, string, string, IReadOnlyList<string>, CancellationToken, Task<IReadOnlyDictionary<string, string>?>>? ReadVault { get; init; }

    /// <summary>Shows a repository of Argo CD what its Secret holds: the address, user name, password; answers with how it refuses, such as <c>401 Unauthorized</c>, or null when it lets in. Null: every repository lets everybody in.</summary>
    public Func<string, string, string, string?>? OpenRepository { get; init; }

    /// <summary>The clock of everything that happens in the sandbox.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Whether controllers, scheduler and kubelets act. Off: objects change only by the caller's hand.</summary>
    internal bool Alive { get; init; } = true;
}

/// <summary>What answers behind a Service: a loopback address forwards to <paramref name="Target"/> while the Service has ready endpoints, and closes
/// connections otherwise.</summary>
/// <param name="Target"><c>host:port</c>.</param>
public sealed record SandboxService(string Region, string Namespace, string Name, string Target);

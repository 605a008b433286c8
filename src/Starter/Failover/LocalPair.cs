using PlatformOps.Adapters.Failover;
using PlatformOps.Guard.Configuration;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Starter.Failover;

/// <summary>Two guarded PostgreSQL nodes on loopback: their folders, certificates, ports and configuration files. What runs is run by whoever made it, with <c>platformops guard</c>.</summary>
internal sealed class LocalPair
{
    /// <summary>Whom the guards take orders from.</summary>
    public const string Operator = "platformops";

    private readonly Dictionary<string, GuardConfiguration> nodes;

    private LocalPair(string folder, LocalCertificates certificates, Dictionary<string, GuardConfiguration> nodes) => (Folder, Certificates, this.nodes) = (folder, certificates, nodes);

    public string Folder { get; }

    public LocalCertificates Certificates { get; }

    /// <summary>The bin directory of the newest PostgreSQL of Debian on this machine; null: there is none.</summary>
    public static string? Binaries { get; } = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin")).LastOrDefault(bin => File.Exists(Path.Combine(bin, "pg_rewind")))
        : null;

    public IEnumerable<string> Nodes => nodes.Keys;

    /// <summary>How the guards are reached by who may act.</summary>
    public GuardAccess Access => new(
        nodes.ToDictionary(node => node.Key, node => new Uri($"https://{node.Value.Api.Listen}")), Certificates.Authority, Certificates.Certificate(Operator), Certificates.Key(Operator));

    public GuardConfiguration this[string node] => nodes[node];

    /// <summary>The configuration file of a node.</summary>
    public string ConfigurationFile(string node) => Path.Combine(Folder, $"{node}.json");

    /// <summary>Makes everything but the clusters, in an empty folder.</summary>
    /// <param name="change">Changes a node's configuration before it is written, for example the way to the witness.</param>
    public static LocalPair Make(
        string folder, string environment, string first, string second, WitnessSettings witness, TimeProvider clock, Func<GuardConfiguration, GuardConfiguration>? change = null)
    {
        // The server's user passes through.
        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var certificates = new LocalCertificates(Path.Combine(folder, "certificates"), clock);
        certificates.Make(first, second, Operator);
        var (one, two) = (LocalPorts.Take(4), LocalPorts.Take(4));
        var pair = new LocalPair(folder, certificates, new()
        {
            [first] = Configuration(first, second, one, two),
            [second] = Configuration(second, first, two, one),
        });
        foreach (var node in pair.nodes.Keys.ToList())
        {
            pair.nodes[node] = change?.Invoke(pair.nodes[node]) ?? pair.nodes[node];
            File.WriteAllText(pair.ConfigurationFile(node), GuardConfigurationFile.Write(pair.nodes[node]));
        }

        return pair;

        GuardConfiguration Configuration(string node, string other, int[] own, int[] others) => new()
        {
            Environment = environment,
            Node = node,
            Data = Path.Combine(folder, node, "data"),
            State = Path.Combine(folder, node, "guard"),
            Binaries = Binaries ?? "",
            PasswordFile = Path.Combine(folder, "password"),
            Clients = new(Loopback(own[0])),
            Replication = new(Loopback(own[1])),
            Api = new(Loopback(own[2]), [Operator]),
            Metrics = new(Loopback(own[3])),
            Tls = new(certificates.Certificate(node), certificates.Key(node), certificates.Authority),
            Peer = new(other, Loopback(others[1])),
            Witness = witness,
        };
    }

    private static string Loopback(int port) => $"127.0.0.1:{port}";
}

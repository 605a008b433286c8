using System.Text.Json;
using System.Text.Json.Serialization;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Vault;

namespace PlatformOps.Adapters;

/// <summary>How this machine reaches the platform that is managed: per region its Kubernetes cluster and the platform's own Temporal frontend.
/// What is not stated is found where it usually is: the kubeconfig of <c>KUBECONFIG</c> with the region's context, or the cluster that we run in.</summary>
public sealed record PlatformConnections
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>By region name. A region that is missing takes all defaults.</summary>
    public IReadOnlyDictionary<string, RegionConnection> Regions { get; init; } = new Dictionary<string, RegionConnection>();

    /// <summary>How databases that can change places are reached, by environment; that of its drills is <c>{environment}-drill</c>.</summary>
    public IReadOnlyDictionary<string, FailoverAccess> Failover { get; init; } = new Dictionary<string, FailoverAccess>();

    /// <summary>Where backups are, by environment.</summary>
    public IReadOnlyDictionary<string, BackupAccess> Backups { get; init; } = new Dictionary<string, BackupAccess>();

    /// <summary>Hears how what Vault handed out for a time is, whenever it was looked after in the background; null: nobody does. No part of the file.</summary>
    [JsonIgnore]
    public Action<LeaseNews>? OnLease { get; init; }

    /// <summary>Reads a JSON file: <c>{"regions": {"us-east-1": {"kubeconfig": "...", "context": "...", "temporalAddress": "host:7233"}}}</c>.
    /// Relative paths in it are relative to the file.</summary>
    /// <exception cref="AdapterException">The file is missing or is not such JSON; the message names what is wrong.</exception>
    public static PlatformConnections Load(string file)
    {
        try
        {
            var read = JsonSerializer.Deserialize<PlatformConnections>(File.ReadAllText(file), Json) ?? new();
            IReadOnlyList<string> problems =
                [.. read.Failover.SelectMany(entry => entry.Value.Problems($"failover.{entry.Key}")), .. read.Backups.SelectMany(entry => entry.Value.Problems($"backups.{entry.Key}"))];
            if (problems.Count > 0)
                throw new AdapterException(AdapterFailureKind.Rejected, $"The connections file {file} is wrong: {string.Join(' ', problems)} Correct it and start again.");
            var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
            return read with
            {
                Regions = read.Regions.ToDictionary(entry => entry.Key, entry => entry.Value.RelativeTo(folder)),
                Failover = read.Failover.ToDictionary(entry => entry.Key, entry => entry.Value.RelativeTo(folder)),
                Backups = read.Backups.ToDictionary(entry => entry.Key, entry => entry.Value.RelativeTo(folder)),
            };
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new AdapterException(
                AdapterFailureKind.Rejected, $"The connections file {file} cannot be read: {failure.Message} Correct it and start again.", failure);
        }
    }

    /// <summary>Writes a file that <see cref="Load"/> reads.</summary>
    public void Save(string file) => File.WriteAllText(file, JsonSerializer.Serialize(this, Json));

    internal RegionConnection Of(string region) => Regions.GetValueOrDefault(region) ?? new();
}

/// <summary>How one region is reached.</summary>
public sealed record RegionConnection
{
    /// <summary>Path of a kubeconfig. Default: the <c>KUBECONFIG</c> variable, then <c>~/.kube/config</c>, then the cluster that we run in.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Context in the kubeconfig. Default: what the specification states for the region.</summary>
    public string? Context { get; init; }

    /// <summary>Host and port of the platform's own Temporal frontend. Default: the address of its Service in the cluster.</summary>
    public string? TemporalAddress { get; init; }

    /// <summary>Whether this machine reaches the frontend's pods, so that each of them is asked; null: only when no <see cref="TemporalAddress"/> is stated.</summary>
    public bool? TemporalPods { get; init; }

    /// <summary>How to speak TLS to it; null: not at all.</summary>
    public TlsFiles? TemporalTls { get; init; }

    /// <summary>How Vault is reached, and how we log in there. Default: the address of its Service in the cluster, without a login.</summary>
    public VaultAccess? Vault { get; init; }

    /// <summary>How PostgreSQL is reached, and how we log in there; null: no login.</summary>
    public PostgresAccess? Postgresql { get; init; }

    /// <summary>How services with an API of their own are reached, by name: gitlab, artifactory, gravitee, authentik, datadog, newrelic, cloudflare; and those
    /// of the platform that have another address or want a login: elasticsearch, prometheus.</summary>
    public IReadOnlyDictionary<string, ExternalAccess> External { get; init; } = new Dictionary<string, ExternalAccess>();

    /// <summary>How the AWS APIs of the region are reached, and with which credentials. Default: AWS itself, with what the AWS SDK finds.</summary>
    public AwsSettings? Aws { get; init; }

    internal RegionConnection RelativeTo(string folder) => this with
    {
        Aws = Aws?.RelativeTo(folder),
        Vault = Vault?.RelativeTo(folder),
        Postgresql = Postgresql?.RelativeTo(folder),
        External = External.ToDictionary(entry => entry.Key, entry => entry.Value.RelativeTo(folder)),
        Kubeconfig = Kubeconfig is null ? null : Path.Combine(folder, Kubeconfig),
        TemporalTls = TemporalTls?.RelativeTo(folder),
    };
}

/// <summary>How a region's Vault is reached, and how we log in: with a token of somebody's, with an AppRole, or with our service account.</summary>
/// <param name="Address">With scheme and port; null: its Service's.</param>
/// <param name="CertificateAuthority">A PEM file with whom to trust; null: the system's authorities.</param>
/// <param name="Namespace">Of Vault Enterprise or OpenBao; null: none.</param>
/// <param name="TokenFile">Holds a token.</param>
/// <param name="AppRoleId">With <paramref name="AppRoleSecretIdFile"/>.</param>
/// <param name="KubernetesRole">For the token in <paramref name="ServiceAccountTokenFile"/>.</param>
/// <param name="LoginMount">Where the login method is mounted; null: where it usually is.</param>
public sealed record VaultAccess(
    string? Address = null,
    string? CertificateAuthority = null,
    string? Namespace = null,
    string? TokenFile = null,
    string? AppRoleId = null,
    string? AppRoleSecretIdFile = null,
    string? KubernetesRole = null,
    string? ServiceAccountTokenFile = null,
    string? LoginMount = null)
{
    internal VaultAccess RelativeTo(string folder) => this with
    {
        CertificateAuthority = In(folder, CertificateAuthority),
        TokenFile = In(folder, TokenFile),
        AppRoleSecretIdFile = In(folder, AppRoleSecretIdFile),
        ServiceAccountTokenFile = In(folder, ServiceAccountTokenFile),
    };

    private static string? In(string folder, string? path) => path is null ? null : Path.Combine(folder, path);
}

/// <summary>How a service with an API of its own is reached.</summary>
/// <param name="Address">With scheme; null: where the service is on the internet, if it is there.</param>
/// <param name="TokenFile">Holds our credential: a token or an API key. Read at each call.</param>
/// <param name="User">For services that want a user name; then <paramref name="TokenFile"/> holds the password.</param>
/// <param name="ApplicationKeyFile">Holds Datadog's application key.</param>
/// <param name="CertificateAuthority">A PEM file with whom to trust; null: the system's authorities.</param>
public sealed record ExternalAccess(
    string? Address = null, string? TokenFile = null, string? ApplicationKeyFile = null, string? CertificateAuthority = null, string? User = null)
{
    internal ExternalAccess RelativeTo(string folder) => this with
    {
        TokenFile = In(folder, TokenFile),
        ApplicationKeyFile = In(folder, ApplicationKeyFile),
        CertificateAuthority = In(folder, CertificateAuthority),
    };

    private static string? In(string folder, string? path) => path is null ? null : Path.Combine(folder, path);
}

/// <summary>How a region's PostgreSQL is reached, and how we log in.</summary>
/// <param name="Address"><c>host:port</c>; null: its Service's.</param>
/// <param name="PasswordFile">Holds the password. Read at each connection.</param>
/// <param name="Database">Null: postgres.</param>
/// <param name="CertificateAuthority">A PEM file with whom to trust; null: the system's authorities.</param>
/// <param name="Played">True only in a sandbox, which plays the pods of PostgreSQL but no server: then nobody is asked, and the gate says so.</param>
/// <param name="VaultRole">Instead of <paramref name="User"/>: a role of the database engine of the region's Vault, which makes a user for us; null: none.</param>
/// <param name="VaultMount">Where that engine is mounted; null: <c>database</c>.</param>
public sealed record PostgresAccess(
    string? Address = null, string? User = null, string? PasswordFile = null, string? Database = null, string? CertificateAuthority = null, bool Played = false, string? VaultRole = null, string? VaultMount = null)
{
    internal PostgresAccess RelativeTo(string folder) => this with
    {
        PasswordFile = PasswordFile is null ? null : Path.Combine(folder, PasswordFile),
        CertificateAuthority = CertificateAuthority is null ? null : Path.Combine(folder, CertificateAuthority),
    };
}

/// <summary>How the AWS APIs of a region are reached.</summary>
/// <param name="Region">AWS's name of the region; null: the platform's.</param>
/// <param name="Endpoint">A server that speaks all APIs instead of AWS, with scheme and port; null: that of <c>AWS_ENDPOINT_URL</c>, then AWS.</param>
/// <param name="CredentialsFile">In the format of <c>~/.aws/credentials</c>, read again when it was written since; null: what the AWS SDK finds (environment, profile, web identity,
/// container, instance role).</param>
/// <param name="Profile">In that file; null: <c>default</c>.</param>
public sealed record AwsSettings(string? Region = null, string? Endpoint = null, string? CredentialsFile = null, string? Profile = null)
{
    internal AwsSettings RelativeTo(string folder) => this with { CredentialsFile = CredentialsFile is null ? null : Path.Combine(folder, CredentialsFile) };
}

/// <summary>PEM files for TLS.</summary>
/// <param name="ServerCertificateAuthority">Whom to trust; null: the system's authorities.</param>
/// <param name="ClientCertificate">With <paramref name="ClientKey"/>, for mutual TLS.</param>
/// <param name="ServerName">The name to expect in the server's certificate; null: the host of the address.</param>
public sealed record TlsFiles(
    string? ServerCertificateAuthority = null, string? ClientCertificate = null, string? ClientKey = null, string? ServerName = null)
{
    internal TlsFiles RelativeTo(string folder) => this with
    {
        ServerCertificateAuthority = In(folder, ServerCertificateAuthority),
        ClientCertificate = In(folder, ClientCertificate),
        ClientKey = In(folder, ClientKey),
    };

    private static string? In(string folder, string? path) => path is null ? null : Path.Combine(folder, path);
}

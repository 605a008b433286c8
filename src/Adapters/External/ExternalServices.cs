using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Artifactory;
using PlatformOps.Adapters.Authentik;
using PlatformOps.Adapters.Cloudflare;
using PlatformOps.Adapters.Datadog;
using PlatformOps.Adapters.Elasticsearch;
using PlatformOps.Adapters.GitLab;
using PlatformOps.Adapters.Gravitee;
using PlatformOps.Adapters.NewRelic;
using PlatformOps.Adapters.Prometheus;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Adapters.External;

/// <summary>The services of a region that have an API of their own, and what of them can be read. A new kind is one class and one line here.</summary>
public sealed class ExternalServices(PlatformConnections connections, string region) : IDisposable
{
    private static readonly Dictionary<string, Service> Services = new()
    {
        ["gitlab"] = new("GitLab", new("https://gitlab.com"), new CredentialHeader("PRIVATE-TOKEN")),
        ["artifactory"] = new("Artifactory", null, CredentialHeader.Bearer),
        ["gravitee"] = new("Gravitee", null, CredentialHeader.Bearer),
        ["authentik"] = new("Authentik", null, CredentialHeader.Bearer),
        ["datadog"] = new("Datadog", new("https://api.datadoghq.com"), new("DD-API-KEY"), new("DD-APPLICATION-KEY", Second: true)),
        ["grafana"] = new("Grafana", null, CredentialHeader.Bearer),
        ["newrelic"] = new("New Relic", new("https://api.newrelic.com"), new CredentialHeader("Api-Key")),
        ["elasticsearch"] = new("Elasticsearch", null, CredentialHeader.Bearer),
        ["prometheus"] = new("Prometheus", null, CredentialHeader.Bearer),
        ["cloudflare"] = new("Cloudflare", new("https://api.cloudflare.com"), CredentialHeader.Bearer),
    };

    private static readonly Dictionary<string, (string Service, Func<JsonApi, IExternalObjects> Objects)> Kinds = new()
    {
        ["GitLabProject"] = ("gitlab", api => new GitLabProjects(api)),
        ["ArtifactoryRepository"] = ("artifactory", api => new ArtifactoryRepositories(api)),
        ["GraviteeApi"] = ("gravitee", api => new GraviteeApis(api)),
        ["AuthentikApplication"] = ("authentik", api => new AuthentikApplications(api)),
        ["DatadogMonitor"] = ("datadog", api => new DatadogMonitors(api)),
        ["NewRelicAlertPolicy"] = ("newrelic", api => new NewRelicAlertPolicies(api)),
    };

    private readonly ConcurrentDictionary<string, JsonApi> apis = new();

    /// <summary>Sorted.</summary>
    public static IReadOnlyList<string> KnownKinds { get; } = [.. Kinds.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The live object that a declaration names, with the fields of the service's API; null when the service says that there is none.</summary>
    /// <param name="manifest">Of <see cref="ObjectKind.ExternalApiVersion"/>.</param>
    /// <exception cref="AdapterException">It could not be read; the message says why and what to do.</exception>
    public Task<JsonObject?> ReadAsync(JsonObject manifest, CancellationToken ct)
    {
        var name = (string?)manifest["kind"] ?? "";
        return Kinds.TryGetValue(name, out var kind)
            ? kind.Objects(Api(kind.Service)).ReadAsync(manifest["spec"] as JsonObject ?? [], ct)
            : throw new AdapterException(
                AdapterFailureKind.NotServed, $"{ObjectKind.ExternalApiVersion} has no kind {name}: {string.Join(", ", KnownKinds)} can be verified. Correct the manifest.");
    }

    /// <summary>Cloudflare, whose records are declared and changed.</summary>
    public CloudflareObjects Cloudflare() => new(region, Api("cloudflare"));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var api in apis.Values)
            api.Dispose();
    }

    /// <summary>Elasticsearch, at its Service's address unless another is stated. The caller disposes it.</summary>
    /// <param name="login">For when the connections state none; null: without.</param>
    public ElasticsearchCluster Elasticsearch(Uri service, (string User, SecretText Password)? login) => new(Open("elasticsearch", service, login));

    /// <summary>The users of Elasticsearch. The caller disposes it.</summary>
    /// <param name="login">For when the connections state none; null: without.</param>
    public ElasticsearchUsers ElasticsearchUsers(Uri service, (string User, SecretText Password)? login) =>
        new(Open("elasticsearch", service, login), (node, user, password) => node is null ? OpenAs("elasticsearch", service, user, password) : OpenAt("elasticsearch", node, user, password));

    /// <summary>Credentials that a service makes. The caller disposes it.</summary>
    public ServiceCredentials Credentials(ServiceTarget target)
    {
        var usual = target.Address is { } address ? new Uri(address) : null;
        return new(target, Services[target.Service].Title, Open(target.Service, usual), (user, value) => OpenAs(target.Service, usual, user, value));
    }

    /// <summary>Where Redis answers instead of its Service, as <c>host:port</c> or several with commas between; and who we are there.</summary>
    public ExternalAccess? Redis => connections.Of(region).External.GetValueOrDefault("redis");

    /// <summary>The services of an environment that the connections state an address with TLS for: those that kinds of its objects are read from, and those that its credentials are of. Where a service is that everybody
    /// uses is its own business. With each the file with the authorities that it is believed by; null: the system's.</summary>
    public IReadOnlyList<(string Title, Uri Address, string? Authorities)> StatedEndpoints(IEnumerable<string> kinds, IEnumerable<string> services) =>
        [.. kinds.Where(Kinds.ContainsKey).Select(kind => Kinds[kind].Service).Concat(services).Distinct().Order(StringComparer.Ordinal)
            .Where(name => connections.Of(region).External.GetValueOrDefault(name)?.Address is not null)
            .Select(name => (Services[name].Title, Address(Services[name], connections.Of(region).External[name], null, $"regions.{region}.external.{name}"), connections.Of(region).External[name].CertificateAuthority)).Where(endpoint => endpoint.Item2.Scheme == Uri.UriSchemeHttps)];

    /// <summary>Where names of the edge are reached: there, by default; somewhere else, as the connections state under <c>edge</c>; null: nowhere with TLS.</summary>
    /// <param name="name">Of a DNS record.</param>
    public Uri? Edge(string name) => connections.Of(region).External.GetValueOrDefault("edge")?.Address is not { } stated ? new($"https://{name}")
        : Uri.TryCreate(stated, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps ? address : null;

    /// <summary>The file with the authorities by which clients outside believe the edge, as the connections state under <c>edge</c>; null: those of the system.</summary>
    public string? EdgeAuthorities => connections.Of(region).External.GetValueOrDefault("edge")?.CertificateAuthority;

    /// <summary>Prometheus, at its Service's address unless another is stated. The caller disposes it.</summary>
    public PrometheusServer Prometheus(Uri service) => new(Open("prometheus", service));

    private JsonApi Api(string name) => apis.GetOrAdd(name, _ => Open(name));

    private JsonApi Open(string name, Uri? usual = null, (string User, SecretText Password)? login = null)
    {
        var (service, setting) = (Services[name], $"regions.{region}.external.{name}");
        var access = connections.Of(region).External.GetValueOrDefault(name) ?? new();
        var address = Address(service, access, usual, setting);
        var credentials = service.Headers
            .Select(header => (header, File: header.Second ? access.ApplicationKeyFile : access.TokenFile, Setting: $"{setting}.{(header.Second ? "applicationKeyFile" : "tokenFile")}"))
            .Where(entry => entry.File is not null).Select(entry => new ApiCredential(entry.header.Name, entry.header.Prefix, entry.File!, entry.Setting) { User = access.User });
        if (access.TokenFile is null && login is var (user, password))
            credentials = [new("Authorization", "", "the Secret that the gate names", setting) { User = user, Secret = password }];
        return JsonApi.Open(service.Title, address, [.. credentials], access.CertificateAuthority);
    }

    /// <summary>By a credential that is tried.</summary>
    /// <param name="user">Null: it is shown in the service's own header.</param>
    private JsonApi OpenAs(string name, Uri? usual, string? user, SecretText value)
    {
        var (service, access) = (Services[name], connections.Of(region).External.GetValueOrDefault(name) ?? new());
        var header = user is null ? service.Headers[0] : new CredentialHeader("Authorization");
        return JsonApi.Open(service.Title, Address(service, access, usual, $"regions.{region}.external.{name}"), [new(header.Name, header.Prefix, "a credential that was tried", "") { User = user, Secret = value }], access.CertificateAuthority);
    }

    /// <summary>One server of a service, past what the connections state.</summary>
    private JsonApi OpenAt(string name, Uri address, string user, SecretText value) =>
        JsonApi.Open(Services[name].Title, address, [new("Authorization", "", "a credential that was tried", "") { User = user, Secret = value }], connections.Of(region).External.GetValueOrDefault(name)?.CertificateAuthority);

    private static Uri Address(Service service, ExternalAccess access, Uri? usual, string setting) => access.Address is null
        ? usual ?? service.Address ?? throw new AdapterException(AdapterFailureKind.Rejected, $"The connections file does not say where {service.Title} is: state {setting} with address and tokenFile.")
        : Uri.TryCreate(access.Address, UriKind.Absolute, out var stated) && stated.Scheme is "http" or "https"
            ? stated
            : throw new AdapterException(AdapterFailureKind.Rejected, $"{setting}.address is '{access.Address}': http://host or https://host is expected.");

    /// <param name="Title">Its name in messages.</param>
    /// <param name="Address">Where it answers when nothing is stated; null: wherever it was installed.</param>
    private sealed record Service(string Title, Uri? Address, params CredentialHeader[] Headers);

    /// <param name="Second">Whether it takes the application key instead of the token.</param>
    private sealed record CredentialHeader(string Name, string Prefix = "", bool Second = false)
    {
        public static CredentialHeader Bearer { get; } = new("Authorization", "Bearer ");
    }
}

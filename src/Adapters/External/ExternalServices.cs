using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Artifactory;
using PlatformOps.Adapters.Authentik;
using PlatformOps.Adapters.Datadog;
using PlatformOps.Adapters.GitLab;
using PlatformOps.Adapters.Gravitee;
using PlatformOps.Adapters.NewRelic;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.External;

/// <summary>The services of a region that have an API of their own, and what of them can be read. A new kind is one class and one line here.</summary>
public sealed class ExternalServices(PlatformConnections connections, string region) : IDisposable
{
    private static readonly Dictionary<string, ExternalKind> Kinds = new()
    {
        ["GitLabProject"] = new("gitlab", "GitLab", new("https://gitlab.com"), api => new GitLabProjects(api), new CredentialHeader("PRIVATE-TOKEN")),
        ["ArtifactoryRepository"] = new("artifactory", "Artifactory", null, api => new ArtifactoryRepositories(api), CredentialHeader.Bearer),
        ["GraviteeApi"] = new("gravitee", "Gravitee", null, api => new GraviteeApis(api), CredentialHeader.Bearer),
        ["AuthentikApplication"] = new("authentik", "Authentik", null, api => new AuthentikApplications(api), CredentialHeader.Bearer),
        ["DatadogMonitor"] = new("datadog", "Datadog", new("https://api.datadoghq.com"), api => new DatadogMonitors(api), new("DD-API-KEY"), new("DD-APPLICATION-KEY", Second: true)),
        ["NewRelicAlertPolicy"] = new("newrelic", "New Relic", new("https://api.newrelic.com"), api => new NewRelicAlertPolicies(api), new CredentialHeader("Api-Key")),
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
        var kind = Kinds.GetValueOrDefault(name) ?? throw new AdapterException(
            AdapterFailureKind.NotServed, $"{ObjectKind.ExternalApiVersion} has no kind {name}: {string.Join(", ", KnownKinds)} can be verified. Correct the manifest.");
        return kind.Objects(apis.GetOrAdd(kind.Service, _ => Open(kind))).ReadAsync(manifest["spec"] as JsonObject ?? [], ct);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var api in apis.Values)
            api.Dispose();
    }

    private JsonApi Open(ExternalKind kind)
    {
        var setting = $"regions.{region}.external.{kind.Service}";
        var access = connections.Of(region).External.GetValueOrDefault(kind.Service) ?? new();
        var address = access.Address is null ? kind.Address : Uri.TryCreate(access.Address, UriKind.Absolute, out var stated) && stated.Scheme is "http" or "https"
            ? stated
            : throw new AdapterException(AdapterFailureKind.Rejected, $"{setting}.address is '{access.Address}': http://host or https://host is expected.");
        if (address is null)
            throw new AdapterException(AdapterFailureKind.Rejected, $"The connections file does not say where {kind.Title} is: state {setting} with address and tokenFile.");
        var credentials = kind.Headers
            .Select(header => (header, File: header.Second ? access.ApplicationKeyFile : access.TokenFile, Setting: $"{setting}.{(header.Second ? "applicationKeyFile" : "tokenFile")}"))
            .Where(entry => entry.File is not null).Select(entry => new ApiCredential(entry.header.Name, entry.header.Prefix, entry.File!, entry.Setting));
        return JsonApi.Open(kind.Title, address, [.. credentials], access.CertificateAuthority);
    }

    /// <param name="Service">Its name in the connections file.</param>
    /// <param name="Title">Its name in messages.</param>
    /// <param name="Address">Where it answers when nothing is stated; null: wherever it was installed.</param>
    private sealed record ExternalKind(string Service, string Title, Uri? Address, Func<JsonApi, IExternalObjects> Objects, params CredentialHeader[] Headers);

    /// <param name="Second">Whether it takes the application key instead of the token.</param>
    private sealed record CredentialHeader(string Name, string Prefix = "", bool Second = false)
    {
        public static CredentialHeader Bearer { get; } = new("Authorization", "Bearer ");
    }
}

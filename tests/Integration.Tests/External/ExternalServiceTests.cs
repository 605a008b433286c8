using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.External;
using PlatformOps.Platform.Health;
using PlatformOps.Sandbox;
using PlatformOps.Sandbox.External;

namespace PlatformOps.Integration.Tests.External;

public sealed class ExternalServiceTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("platformops-external-").FullName;
    private ExternalStandIn standIn = null!;
    private ExternalServices services = null!;

    /// <summary>A kind, an object of it, where it is asked for, and what the service has beside what is declared.</summary>
    public static TheoryData<string, string, string> Kinds => new()
    {
        { "GitLabProject", """{"path_with_namespace": "platform/temporal", "visibility": "private", "default_branch": "main", "protected_branches": {"main": {"allow_force_push": false}}}""", "/gitlab/" },
        { "ArtifactoryRepository", """{"key": "docker-platform", "rclass": "local", "packageType": "docker"}""", "/artifactory/artifactory/api/repositories" },
        { "GraviteeApi", """{"id": "orders", "state": "STARTED", "deploymentState": "DEPLOYED"}""", "/gravitee/" },
        { "AuthentikApplication", """{"slug": "temporal-web", "name": "Temporal", "provider_obj": {"name": "temporal", "component": "ak-provider-oauth2-form"}}""", "/authentik/" },
        { "DatadogMonitor", """{"name": "Temporal frontend", "type": "metric alert", "query": "avg(last_5m):avg:up{*} < 1", "tags": ["a", "b"]}""", "/datadog/api/v1/monitor" },
        { "NewRelicAlertPolicy", """{"name": "Temporal frontend", "incident_preference": "PER_CONDITION"}""", "/newrelic/" },
    };

    public async ValueTask InitializeAsync()
    {
        standIn = await ExternalStandIn.StartAsync();
        await File.WriteAllTextAsync(Token, standIn.Token + "\n");
        services = Open(standIn.Address);
    }

    public async ValueTask DisposeAsync()
    {
        services.Dispose();
        await standIn.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_object_is_read_as_it_was_declared(string kind, string spec, string path)
    {
        Assert.StartsWith("/", path, StringComparison.Ordinal);
        var declared = (JsonObject)JsonNode.Parse(spec)!;
        Assert.Null(await ReadAsync(kind, declared));

        standIn.Put(kind, declared);
        var live = await ReadAsync(kind, declared);

        Assert.Empty(ExternalVerdict.Problems(new(new("us-east-1", "", kind, null, "it"), Manifest(kind, declared)), live));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_credential_that_is_not_known_is_named_by_its_file_and_never_shown(string kind, string spec, string path)
    {
        Assert.StartsWith("/", path, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Token, "wrong-credential-of-ours", Ct);

        var failure = await Assert.ThrowsAsync<AdapterException>(() => ReadAsync(kind, (JsonObject)JsonNode.Parse(spec)!));

        Assert.True(failure.Kind is AdapterFailureKind.Unauthorized or AdapterFailureKind.Forbidden, failure.Message);
        Assert.Contains(Token, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-credential-of-ours", failure.ToString(), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Trouble_of_the_service_is_told_apart_and_never_taken_for_absence(string kind, string spec, string path)
    {
        var declared = (JsonObject)JsonNode.Parse(spec)!;
        standIn.Put(kind, declared);
        (Fault Fault, AdapterFailureKind Kind)[] troubles =
        [
            (new() { Kind = FaultKind.Error, StatusCode = 429, RetryAfterSeconds = 7 }, AdapterFailureKind.Throttled),
            (new() { Kind = FaultKind.Error, StatusCode = 502 }, AdapterFailureKind.Unavailable),
            (new() { Kind = FaultKind.Page }, AdapterFailureKind.Unavailable),
            (new() { Kind = FaultKind.Error, StatusCode = 302 }, AdapterFailureKind.Unavailable),
            (new() { Kind = FaultKind.Cut }, AdapterFailureKind.Unavailable),
            (new() { Kind = FaultKind.Error, StatusCode = 403 }, AdapterFailureKind.Forbidden),
        ];
        foreach (var (fault, expected) in troubles)
        {
            standIn.Inject(fault with { Path = path });
            var failure = await Assert.ThrowsAsync<AdapterException>(() => ReadAsync(kind, declared));
            standIn.ClearFaults();
            Assert.Equal(expected, failure.Kind);
            if (expected == AdapterFailureKind.Throttled)
                Assert.Equal(TimeSpan.FromSeconds(7), failure.RetryAfter);
        }

        Assert.NotNull(await ReadAsync(kind, declared));
    }

    [Fact]
    public async Task A_service_whose_address_or_credential_is_not_stated_says_which_setting_is_missing()
    {
        using var nowhere = new ExternalServices(new(), "us-east-1");
        var failure = await Assert.ThrowsAsync<AdapterException>(() => nowhere.ReadAsync(Manifest("GraviteeApi", new() { ["id"] = "orders" }), Ct));
        Assert.Contains("regions.us-east-1.external.gravitee", failure.Message, StringComparison.Ordinal);

        File.Delete(Token);
        var unread = await Assert.ThrowsAsync<AdapterException>(() => ReadAsync("GraviteeApi", new() { ["id"] = "orders" }));
        Assert.Contains("regions.us-east-1.external.gravitee.tokenFile", unread.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_declaration_that_does_not_say_which_object_it_means_or_of_an_unknown_kind_is_refused()
    {
        var incomplete = await Assert.ThrowsAsync<AdapterException>(() => ReadAsync("GitLabProject", new() { ["visibility"] = "private" }));
        Assert.Contains("spec.path_with_namespace", incomplete.Message, StringComparison.Ordinal);
        var unknown = await Assert.ThrowsAsync<AdapterException>(() => ReadAsync("GitHubProject", []));
        Assert.Contains("GitLabProject", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_monitors_of_one_name_are_refused()
    {
        standIn.Put("DatadogMonitor", new() { ["name"] = "up" });
        standIn.Put("DatadogMonitor", new() { ["name"] = "up" });
        standIn.Put("DatadogMonitor", new() { ["name"] = "up and running" });

        var failure = await Assert.ThrowsAsync<AdapterException>(() => ReadAsync("DatadogMonitor", new() { ["name"] = "up" }));

        Assert.Contains("2 monitors", failure.Message, StringComparison.Ordinal);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Token => Path.Combine(folder, "token");

    private ExternalServices Open(Func<string, Uri> address) => new(
        new()
        {
            Regions = new Dictionary<string, RegionConnection>
            {
                ["us-east-1"] = new() { External = standIn.Services.ToDictionary(name => name, name => new ExternalAccess(address(name).AbsoluteUri, Token, Token)) },
            },
        },
        "us-east-1");

    private Task<JsonObject?> ReadAsync(string kind, JsonObject spec) => services.ReadAsync(Manifest(kind, spec), Ct);

    private static JsonObject Manifest(string kind, JsonObject spec) => new() { ["apiVersion"] = "external.platformops.io/v1", ["kind"] = kind, ["spec"] = spec.DeepClone() };
}

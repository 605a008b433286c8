using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.External;
using PlatformOps.Platform.Secrets;
using PlatformOps.Sandbox.External;

namespace PlatformOps.Integration.Tests.External;

/// <summary>Credentials of services, made and ended by the calls that <c>docs/catalog.md</c> names for each.</summary>
public sealed class ServiceCredentialTests : IAsyncLifetime
{
    private readonly string token = Path.GetTempFileName();
    private ExternalStandIn standIn = null!;
    private ExternalServices services = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        standIn = await ExternalStandIn.StartAsync();
        await File.WriteAllTextAsync(token, standIn.Token);
        services = new(new PlatformConnections
        {
            Regions = new Dictionary<string, RegionConnection>
            {
                ["us-east-1"] = new() { External = standIn.Services.ToDictionary(name => name, name => new ExternalAccess(standIn.Address(name).AbsoluteUri, token, token)) },
            },
        }, "us-east-1");
    }

    public async ValueTask DisposeAsync()
    {
        services.Dispose();
        await standIn.DisposeAsync();
        File.Delete(token);
    }

    [Theory]
    [InlineData("artifactory", """{"create": ["POST", "access/api/v1/tokens", {"scope": "applied-permissions/user", "description": "{rotation}", "expires_in": "{lives}"}, "token_id", "access_token"], "list": ["access/api/v1/tokens", "tokens", "token_id", "description"], "test": "access/api/v1/tokens/me", "revoke": "access/api/v1/tokens/{id}"}""")]
    [InlineData("authentik", """{"create": ["POST", "api/v3/core/tokens/", {"identifier": "{rotation}", "intent": "api", "user": 7, "expires": "{expiresTime}"}, "identifier", null], "view": ["api/v3/core/tokens/{id}/view_key/", "key"], "list": ["api/v3/core/tokens/", "results", "identifier", "identifier"], "test": "api/v3/core/users/me/", "revoke": "api/v3/core/tokens/{id}/"}""")]
    [InlineData("cloudflare", """{"create": ["POST", "client/v4/user/tokens", {"name": "{rotation}", "policies": [], "expires_on": "{expiresTime}"}, "result.id", "result.value"], "list": ["client/v4/user/tokens", "result", "id", "name"], "test": "client/v4/user/tokens/verify", "revoke": "client/v4/user/tokens/{id}"}""")]
    [InlineData("datadog", """{"create": ["POST", "api/v2/api_keys", {"data": {"type": "api_keys", "attributes": {"name": "{rotation}"}}}, "data.id", "data.attributes.key"], "list": ["api/v2/api_keys", "data", "id", "attributes.name"], "test": "api/v1/validate", "revoke": "api/v2/api_keys/{id}"}""")]
    [InlineData("gitlab", """{"create": ["POST", "api/v4/projects/42/access_tokens", {"name": "{rotation}", "scopes": ["read_api"], "expires_at": "{expires}"}, "id", "token"], "list": ["api/v4/projects/42/access_tokens?per_page=100", null, "id", "name"], "test": "api/v4/personal_access_tokens/self", "revoke": "api/v4/projects/42/access_tokens/{id}"}""")]
    [InlineData("grafana", """{"create": ["POST", "api/serviceaccounts/2/tokens", {"name": "{rotation}", "secondsToLive": "{lives}"}, "id", "key"], "list": ["api/serviceaccounts/2/tokens", null, "id", "name"], "test": "api/user", "revoke": "api/serviceaccounts/2/tokens/{id}"}""")]
    public async Task Are_made_beside_others_found_by_their_rotation_and_ended(string service, string calls)
    {
        using var credentials = services.Credentials(Target(service, JsonNode.Parse(calls)!));
        var (firstId, first) = await credentials.NewAsync("rotate-1", DateTimeOffset.UnixEpoch.AddDays(20_000), TimeSpan.FromDays(67), Ct);
        var (secondId, second) = await credentials.NewAsync("rotate-2", DateTimeOffset.UnixEpoch.AddDays(20_000), TimeSpan.FromDays(67), Ct);
        Assert.Equal((CredentialStanding.Accepted, CredentialStanding.Accepted), ((await credentials.TryAsync(null, first, Ct)).Standing, (await credentials.TryAsync(null, second, Ct)).Standing));
        Assert.Equal([new(firstId, "rotate-1"), new(secondId, "rotate-2")], await credentials.ListAsync(Ct));

        await credentials.RevokeAsync(firstId, Ct);
        await credentials.RevokeAsync(firstId, Ct);
        Assert.Equal((CredentialStanding.Refused, CredentialStanding.Accepted), ((await credentials.TryAsync(null, first, Ct)).Standing, (await credentials.TryAsync(null, second, Ct)).Standing));
    }

    [Fact]
    public async Task A_service_that_does_not_answer_refuses_nothing()
    {
        using var credentials = services.Credentials(new("grafana", null, null, null, new("PUT", "x", null, null, null, null, null), new("GET", "api/user", null, null, null, null, null), null, null));
        standIn.Inject(new() { Kind = Sandbox.FaultKind.Error, StatusCode = 503, Path = "/grafana/" });
        Assert.Equal(CredentialStanding.Unknown, (await credentials.TryAsync("admin", new("x"), Ct)).Standing);
    }

    private static ServiceTarget Target(string service, JsonNode calls)
    {
        ServiceCall Call(string method, string path, JsonNode? body = null, string? id = null, string? value = null, string? items = null, string? rotation = null) => new(method, path, body?.DeepClone() as JsonObject, id, value, items, rotation);
        var (create, list) = (calls["create"]!, calls["list"]!);
        return new(
            service,
            Call((string)create[0]!, (string)create[1]!, create[2], (string?)create[3], (string?)create[4]),
            calls["view"] is { } view ? Call("GET", (string)view[0]!, value: (string?)view[1]) : null,
            Call("GET", (string)list[0]!, items: (string?)list[1], id: (string?)list[2], rotation: (string?)list[3]),
            null, Call("GET", (string)calls["test"]!), Call("DELETE", (string)calls["revoke"]!), null);
    }
}

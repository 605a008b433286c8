using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Adapters.External;

/// <summary>A credential that a service has. Its value is never shown.</summary>
/// <param name="Rotation">For which it was made; empty: none is stated.</param>
public sealed record ServiceCredential(string Id, string Rotation);

/// <summary>Credentials of a service with an API of its own, by calls that are declared.</summary>
/// <param name="title">The service's name in messages.</param>
/// <param name="api">By somebody who may make and end them.</param>
/// <param name="others">The same service by a credential that is tried; without a user in its own header.</param>
public sealed class ServiceCredentials(ServiceTarget target, string title, JsonApi api, Func<string?, SecretText, JsonApi> others) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => api.Dispose();

    /// <summary>Whether it is accepted, and its id where the service tells it.</summary>
    public async Task<(CredentialStanding Standing, string? Id)> TryAsync(string? user, SecretText value, CancellationToken ct)
    {
        try
        {
            using var tried = others(user, value);
            var answer = await SendAsync(tried, target.Test, "try a credential", new() { ["user"] = user }, ct);
            return (CredentialStanding.Accepted, target.Test.Id is { } id ? Text(answer, id) : null);
        }
        // What is tried, everybody may do who is known at all.
        catch (AdapterException refused) when (refused.Kind is AdapterFailureKind.Unauthorized or AdapterFailureKind.Forbidden)
        {
            return (CredentialStanding.Refused, null);
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            return (CredentialStanding.Unknown, null);
        }
    }

    /// <summary>Those that it has; none where no call lists them.</summary>
    public async Task<IReadOnlyList<ServiceCredential>> ListAsync(CancellationToken ct)
    {
        if (target.List is not { } list)
            return [];
        var answer = await SendAsync(api, list, "list the credentials", [], ct);
        return [.. ((list.Items is { } items ? Find(answer, items) : answer) as JsonArray ?? []).Select(item => (Id: Text(item, list.Id!), Rotation: Text(item, list.Rotation!)))
            .Where(item => item.Id is not null).Select(item => new ServiceCredential(item.Id!, item.Rotation ?? ""))];
    }

    /// <summary>Has the service make one.</summary>
    /// <param name="expires">The day on which it ends if nobody replaces it.</param>
    public async Task<(string Id, SecretText Value)> NewAsync(string rotation, DateTimeOffset expires, TimeSpan lives, CancellationToken ct)
    {
        var values = new Dictionary<string, string?>
        {
            ["rotation"] = rotation,
            ["expires"] = expires.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["expiresTime"] = expires.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["lives"] = ((long)lives.TotalSeconds).ToString(CultureInfo.InvariantCulture),
        };
        var made = await SendAsync(api, target.Create!, "make a credential", values, ct);
        var id = Text(made, target.Create!.Id!) ?? throw Silent(target.Create.Id!);
        values["id"] = id;
        var value = target.Create.Value is { } there ? Text(made, there) : Text(await SendAsync(api, target.View!, "show a credential", values, ct), target.View!.Value!);
        return (id, new(value ?? throw Silent(target.Create.Value ?? target.View!.Value!)));
    }

    /// <summary>Sets a password.</summary>
    public async Task SetAsync(string user, SecretText value, CancellationToken ct)
    {
        try
        {
            await SendAsync(api, target.Set!, $"set the password of {user}", new() { ["user"] = user, ["value"] = value.Reveal() }, ct);
        }
        catch (AdapterException failure) when (failure.Message.Contains(value.Reveal(), StringComparison.Ordinal))
        {
            throw new AdapterException(failure.Kind, failure.Message.Replace(value.Reveal(), "***", StringComparison.Ordinal), null, failure.RetryAfter);
        }
    }

    /// <summary>Ends one. One that is gone is no failure.</summary>
    public Task RevokeAsync(string id, CancellationToken ct) => SendAsync(api, target.Revoke!, $"end the credential {id}", new() { ["id"] = id }, ct);

    private AdapterException Silent(string where) => new(AdapterFailureKind.Rejected, $"{title} made a credential, and its answer has nothing at {where}. Correct what is declared in the rotation's api; what was made is found and ended.");

    private static async Task<JsonNode?> SendAsync(JsonApi by, ServiceCall call, string what, Dictionary<string, string?> values, CancellationToken ct) =>
        await by.DoAsync(HttpMethod.Parse(call.Method), Filled(call.Path, values, escaped: true), what, call.Body is null ? null : Filled(call.Body, values), ct);

    private static JsonNode? Filled(JsonNode? node, Dictionary<string, string?> values) => node switch
    {
        JsonObject map => new JsonObject(map.Select(entry => KeyValuePair.Create(entry.Key, Filled(entry.Value, values)))),
        JsonArray list => new JsonArray([.. list.Select(item => Filled(item, values))]),
        // Seconds are a number wherever they stand alone.
        JsonValue value when value.TryGetValue<string>(out var text) => text == "{lives}" ? long.Parse(values["lives"]!, CultureInfo.InvariantCulture) : Filled(text, values, escaped: false),
        _ => node?.DeepClone(),
    };

    private static string Filled(string text, Dictionary<string, string?> values, bool escaped) => values.Aggregate(
        text, (so, value) => so.Replace($"{{{value.Key}}}", escaped ? Uri.EscapeDataString(value.Value ?? "") : value.Value, StringComparison.Ordinal));

    private static JsonNode? Find(JsonNode? node, string pointer) => pointer.Split('.').Aggregate(node, (at, name) => at is JsonObject map ? map[name] : null);

    private static string? Text(JsonNode? node, string pointer) => Find(node, pointer) is JsonValue value ? value.TryGetValue<string>(out var text) ? text.Length > 0 ? text : null : value.ToJsonString() : null;
}

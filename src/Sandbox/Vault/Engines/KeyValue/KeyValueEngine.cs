using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Engines.KeyValue;

/// <summary>Version 2 of the key/value engine: every write is a new version, and may be bound to the version that it replaces.</summary>
internal sealed class KeyValueEngine(MountStorage storage, TimeProvider time) : IEngine
{
    /// <summary>When neither the secret nor the engine says another number.</summary>
    private const int VersionsKept = 10;

    private const string Never = "0001-01-01T00:00:00Z";

    public bool? Exists(VaultRequest request) => request.Parts is ["data" or "metadata", .. var path] ? storage.Has(Key(path)) : null;

    public Task<EngineAnswer> AnswerAsync(VaultRequest request, CancellationToken ct) => Task.FromResult((request.Operation, request.Parts) switch
    {
        (VaultOperation.Read, ["config"]) => new EngineAnswer(Configuration()),
        (VaultOperation.Update, ["config"]) => Configure(request.Fields),
        (VaultOperation.List, ["metadata", .. var path]) => EngineAnswer.Keys(storage.Names(path.Length == 0 ? "secret/" : Key(path) + "/")),
        (VaultOperation.Read, ["data", _, ..]) => Read(request),
        (VaultOperation.Update, ["data", _, ..]) => Write(request),
        (VaultOperation.Delete, ["data", _, ..]) => DeleteLatest(request),
        (VaultOperation.Read, ["metadata", _, ..]) => new EngineAnswer(Shown(Find(request) ?? throw VaultFailure.Missing())),
        (VaultOperation.Update, ["metadata", _, ..]) => WriteMetadata(request),
        (VaultOperation.Delete, ["metadata", _, ..]) => DeleteAll(request),
        (VaultOperation.Update, ["delete", _, ..]) => Change(request, version => version["deletion_time"] = VaultFields.Time(time.GetUtcNow())),
        (VaultOperation.Update, ["undelete", _, ..]) => Change(request, version => version["deletion_time"] = ""),
        (VaultOperation.Update, ["destroy", _, ..]) => Change(request, version => (version["destroyed"], version["data"]) = (true, null)),
        _ => throw VaultFailure.UnsupportedPath(),
    });

    private static string Key(string[] path) => $"secret/{string.Join('/', path)}";

    private static string Key(VaultRequest request) => Key(request.Parts[1..]);

    private JsonObject? Find(VaultRequest request) => storage.Get(Key(request));

    private JsonObject Configuration() => storage.Get("config") ?? new JsonObject { ["max_versions"] = 0, ["cas_required"] = false, ["delete_version_after"] = "0s" };

    private EngineAnswer Configure(JsonObject sent)
    {
        var config = Configuration();
        foreach (var name in (string[])["max_versions", "cas_required", "delete_version_after"])
            config[name] = sent[name]?.DeepClone() ?? config[name]?.DeepClone();
        storage.Put("config", config);
        return EngineAnswer.Nothing;
    }

    private EngineAnswer Read(VaultRequest request)
    {
        if (Find(request) is not { } secret)
            throw VaultFailure.Missing();
        var number = request.Fields.Integer("version") is { } asked and > 0 ? asked : secret.Integer("current_version")!.Value;
        if (Version(secret, number) is not { } version)
            throw VaultFailure.Missing();
        var gone = version.Flag("destroyed") || IsDeleted(version);
        // What is deleted is answered with 404, but with the version's metadata.
        return new(new JsonObject { ["data"] = gone ? null : version["data"]?.DeepClone(), ["metadata"] = About(secret, version, number) }) { Status = gone ? 404 : 200 };
    }

    private EngineAnswer Write(VaultRequest request)
    {
        var data = request.Fields["data"] as JsonObject ?? throw VaultFailure.Rejected("no data provided");
        var secret = Find(request) ?? NewSecret();
        var current = secret.Integer("current_version")!.Value;
        CheckAndSet(secret, current, request.Fields["options"] as JsonObject);
        var number = current + 1;
        var version = new JsonObject { ["created_time"] = VaultFields.Time(time.GetUtcNow()), ["deletion_time"] = "", ["destroyed"] = false, ["data"] = data.DeepClone() };
        secret["versions"]![Text(number)] = version;
        secret["current_version"] = number;
        Forget(secret, number);
        Put(request, secret);
        return new(About(secret, version, number));
    }

    private void CheckAndSet(JsonObject secret, int current, JsonObject? options)
    {
        var cas = options?.Integer("cas");
        if (cas is null && (secret.Flag("cas_required") || Configuration().Flag("cas_required")))
            throw VaultFailure.Rejected("check-and-set parameter required for this call");
        if (cas is { } expected && expected != current)
            throw VaultFailure.Rejected("check-and-set parameter did not match the current version");
    }

    private void Forget(JsonObject secret, int latest)
    {
        var kept = new[] { secret.Integer("max_versions") ?? 0, Configuration().Integer("max_versions") ?? 0, VersionsKept }.First(number => number > 0);
        var versions = secret["versions"]!.AsObject();
        foreach (var old in versions.Select(entry => int.Parse(entry.Key, CultureInfo.InvariantCulture)).Where(number => number <= latest - kept).ToList())
            versions.Remove(Text(old));
        secret["oldest_version"] = Math.Max(latest - kept + 1, 0);
    }

    private EngineAnswer DeleteLatest(VaultRequest request)
    {
        if (Find(request) is { } secret && Version(secret, secret.Integer("current_version")!.Value) is { } version && !IsDeleted(version))
        {
            version["deletion_time"] = VaultFields.Time(time.GetUtcNow());
            Put(request, secret);
        }

        return EngineAnswer.Nothing;
    }

    private EngineAnswer Change(VaultRequest request, Action<JsonObject> how)
    {
        var numbers = request.Fields["versions"] as JsonArray is { Count: > 0 } asked ? asked : throw VaultFailure.Rejected("No version number provided");
        if (Find(request) is not { } secret)
            throw VaultFailure.Missing();
        foreach (var version in numbers.Select(number => Version(secret, (int)number!)).OfType<JsonObject>().Where(version => !version.Flag("destroyed")))
            how(version);
        Put(request, secret);
        return EngineAnswer.Nothing;
    }

    private EngineAnswer WriteMetadata(VaultRequest request)
    {
        var secret = Find(request) ?? NewSecret();
        foreach (var name in (string[])["max_versions", "cas_required", "delete_version_after", "custom_metadata"])
        {
            if (request.Fields[name] is { } value)
                secret[name] = value.DeepClone();
        }

        Put(request, secret);
        return EngineAnswer.Nothing;
    }

    private EngineAnswer DeleteAll(VaultRequest request)
    {
        storage.Remove(Key(request));
        return EngineAnswer.Nothing;
    }

    private void Put(VaultRequest request, JsonObject secret)
    {
        secret["updated_time"] = VaultFields.Time(time.GetUtcNow());
        storage.Put(Key(request), secret);
    }

    private JsonObject NewSecret() => new()
    {
        ["cas_required"] = false,
        ["created_time"] = VaultFields.Time(time.GetUtcNow()),
        ["current_version"] = 0,
        ["custom_metadata"] = null,
        ["delete_version_after"] = "0s",
        ["max_versions"] = 0,
        ["oldest_version"] = 0,
        ["updated_time"] = Never,
        ["versions"] = new JsonObject(),
    };

    private static JsonObject Shown(JsonObject secret)
    {
        foreach (var (_, version) in secret["versions"]!.AsObject())
            version!.AsObject().Remove("data");
        return secret;
    }

    private static JsonObject About(JsonObject secret, JsonObject version, int number) => new()
    {
        ["created_time"] = version.String("created_time"),
        ["custom_metadata"] = secret["custom_metadata"]?.DeepClone(),
        ["deletion_time"] = version.String("deletion_time"),
        ["destroyed"] = version.Flag("destroyed"),
        ["version"] = number,
    };

    private bool IsDeleted(JsonObject version) => version.Moment("deletion_time") is { } at && at <= time.GetUtcNow();

    private static JsonObject? Version(JsonObject secret, int number) => secret["versions"]![Text(number)] as JsonObject;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Engines.Transit;

/// <summary>Encryption as a service, with real AES-256-GCM: keys never leave it, and old versions still decrypt.</summary>
internal sealed class TransitEngine(MountStorage storage, TimeProvider time) : IEngine
{
    private const int NonceSize = 12, TagSize = 16;

    public bool? Exists(VaultRequest request) => request.Parts is ["keys" or "encrypt", var name] ? storage.Has(Path(name)) : null;

    public Task<EngineAnswer> AnswerAsync(VaultRequest request, CancellationToken ct) => Task.FromResult((request.Operation, request.Parts) switch
    {
        (VaultOperation.List, ["keys"]) => EngineAnswer.Keys(storage.Names("key/")),
        (VaultOperation.Update, ["keys", var name]) => Create(name, request.Fields),
        (VaultOperation.Read, ["keys", var name]) => new EngineAnswer(Shown(Find(name) ?? throw VaultFailure.Missing())),
        (VaultOperation.Delete, ["keys", var name]) => Delete(name),
        (VaultOperation.Update, ["keys", var name, "config"]) => Configure(name, request.Fields),
        (VaultOperation.Update, ["keys", var name, "rotate"]) => Rotate(name),
        (VaultOperation.Update, ["encrypt", var name]) => Each(request, item => Encrypted(Find(name) ?? Made(name), Plain(item), item)),
        (VaultOperation.Update, ["decrypt", var name]) => Each(request, item => new() { ["plaintext"] = Convert.ToBase64String(Decrypt(Required(name), item)) }),
        (VaultOperation.Update, ["rewrap", var name]) => Each(request, item => Encrypted(Required(name), Decrypt(Required(name), item), item)),
        _ => throw VaultFailure.UnsupportedPath(),
    });

    private static string Path(string name) => $"key/{name}";

    private JsonObject? Find(string name) => storage.Get(Path(name));

    private JsonObject Required(string name) => Find(name) ?? throw VaultFailure.Rejected("encryption key not found");

    private EngineAnswer Create(string name, JsonObject fields)
    {
        if ((fields.String("type") ?? "aes256-gcm96") != "aes256-gcm96")
            throw VaultFailure.NotPlayed($"transit keys of type {fields.String("type")}");
        if (fields.Flag("derived") || fields.Flag("convergent_encryption"))
            throw VaultFailure.NotPlayed("derived transit keys");
        if (Find(name) is null)
            Made(name);
        return new(Shown(Find(name)!));
    }

    private JsonObject Made(string name)
    {
        var key = new JsonObject
        {
            ["name"] = name,
            ["type"] = "aes256-gcm96",
            ["latest_version"] = 0,
            ["min_decryption_version"] = 1,
            ["min_encryption_version"] = 0,
            ["deletion_allowed"] = false,
            ["derived"] = false,
            ["exportable"] = false,
            ["allow_plaintext_backup"] = false,
            ["keys"] = new JsonObject(),
        };
        AddVersion(key);
        storage.Put(Path(name), key);
        return key;
    }

    private void AddVersion(JsonObject key)
    {
        var number = key.Integer("latest_version")!.Value + 1;
        key["latest_version"] = number;
        key["keys"]![Text(number)] = new JsonObject
        {
            ["created"] = time.GetUtcNow().ToUnixTimeSeconds(),
            ["key"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)),
        };
    }

    private EngineAnswer Delete(string name)
    {
        if (!Required(name).Flag("deletion_allowed"))
            throw VaultFailure.Rejected("error deleting policy " + name + ": deletion is not allowed for this key");
        storage.Remove(Path(name));
        return EngineAnswer.Nothing;
    }

    private EngineAnswer Configure(string name, JsonObject fields)
    {
        var key = Find(name) ?? throw VaultFailure.Rejected($"no existing key named {name} could be found");
        var latest = key.Integer("latest_version")!.Value;
        foreach (var field in (string[])["min_decryption_version", "min_encryption_version"])
        {
            if (fields.Integer(field) is not { } number)
                continue;
            if (number < 0 || number > latest)
                throw VaultFailure.Rejected($"cannot set {field.Split('_')[0]} {field.Split('_')[1]} version of {number}, latest key version is {latest}");
            key[field] = number;
        }

        if (fields.String("deletion_allowed") is not null)
            key["deletion_allowed"] = fields.Flag("deletion_allowed");
        storage.Put(Path(name), key);
        return new(Shown(key));
    }

    private EngineAnswer Rotate(string name)
    {
        var key = Find(name) ?? throw VaultFailure.Rejected("key not found");
        AddVersion(key);
        storage.Put(Path(name), key);
        return new(Shown(key));
    }

    /// <summary>One item in the body itself, or several in <c>batch_input</c>, each of which may fail alone.</summary>
    private static EngineAnswer Each(VaultRequest request, Func<JsonObject, JsonObject> work)
    {
        if (request.Fields["batch_input"] is not JsonArray batch)
            return new(work(request.Fields));
        var results = batch.OfType<JsonObject>().Select(item =>
        {
            try
            {
                return work(item);
            }
            catch (VaultFailure failure) when (failure.Code == 400)
            {
                return new JsonObject { ["error"] = failure.Errors[0] };
            }
        }).ToList();
        return new(new JsonObject { ["batch_results"] = new JsonArray([.. results]) }) { Status = results.All(result => result.ContainsKey("error")) ? 400 : 200 };
    }

    private static byte[] Plain(JsonObject item) =>
        Decoded(item.String("plaintext") ?? throw VaultFailure.Rejected("missing plaintext to encrypt"), "failed to base64-decode plaintext");

    private static JsonObject Encrypted(JsonObject key, byte[] plain, JsonObject item)
    {
        var number = item.Integer("key_version") is { } asked and > 0 ? asked : key.Integer("latest_version")!.Value;
        if (number < key.Integer("min_encryption_version") || key["keys"]![Text(number)] is null)
            throw VaultFailure.Rejected("requested version for encryption is " + (key["keys"]![Text(number)] is null ? "higher than the latest key version" : "less than the minimum encryption key version"));
        using var cipher = Cipher(key, number);
        var box = new byte[NonceSize + plain.Length + TagSize];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceSize));
        cipher.Encrypt(box.AsSpan(0, NonceSize), plain, box.AsSpan(NonceSize, plain.Length), box.AsSpan(NonceSize + plain.Length), AssociatedData(item));
        return new() { ["ciphertext"] = $"vault:v{number}:{Convert.ToBase64String(box)}", ["key_version"] = number };
    }

    private static byte[] Decrypt(JsonObject key, JsonObject item)
    {
        var text = item.String("ciphertext") is { Length: > 0 } given ? given : throw VaultFailure.Rejected("missing ciphertext to decrypt");
        if (!text.StartsWith("vault:v", StringComparison.Ordinal))
            throw VaultFailure.Rejected("invalid ciphertext: no prefix");
        if (text["vault:v".Length..].Split(':') is not [var version, var body] || !int.TryParse(version, CultureInfo.InvariantCulture, out var number))
            throw VaultFailure.Rejected("invalid ciphertext: wrong number of fields");
        if (number < key.Integer("min_decryption_version"))
            throw VaultFailure.Rejected("ciphertext or signature version is disallowed by policy (too old)");
        if (key["keys"]![Text(number)] is null)
            throw VaultFailure.Rejected("invalid ciphertext: version is too new");
        var box = Decoded(body, "invalid ciphertext: could not decode base64");
        if (box.Length < NonceSize + TagSize)
            throw VaultFailure.Rejected("invalid ciphertext length");
        using var cipher = Cipher(key, number);
        var plain = new byte[box.Length - NonceSize - TagSize];
        try
        {
            cipher.Decrypt(box.AsSpan(0, NonceSize), box.AsSpan(NonceSize, plain.Length), box.AsSpan(NonceSize + plain.Length), plain, AssociatedData(item));
        }
        catch (CryptographicException)
        {
            throw VaultFailure.Rejected("invalid ciphertext: unable to decrypt");
        }

        return plain;
    }

    private static AesGcm Cipher(JsonObject key, int version) => new(Convert.FromBase64String(key["keys"]![Text(version)]!.AsObject().String("key")!), TagSize);

    private static byte[]? AssociatedData(JsonObject item) =>
        item.String("associated_data") is { Length: > 0 } text ? Decoded(text, "failed to base64-decode associated_data") : null;

    private static byte[] Decoded(string text, string error)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        return Convert.TryFromBase64String(text, bytes, out var length) ? bytes[..length] : throw VaultFailure.Rejected(error);
    }

    /// <summary>The versions as times of their making: the keys themselves stay.</summary>
    private static JsonObject Shown(JsonObject key)
    {
        var shown = (JsonObject)key.DeepClone();
        shown["keys"] = new JsonObject(key["keys"]!.AsObject().Select(version => KeyValuePair.Create(version.Key, version.Value!["created"]?.DeepClone())));
        shown["supports_encryption"] = true;
        shown["supports_decryption"] = true;
        shown["supports_derivation"] = true;
        shown["supports_signing"] = false;
        return shown;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

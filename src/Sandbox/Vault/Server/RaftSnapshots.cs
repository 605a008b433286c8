using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Server;

/// <summary>Snapshots of the whole storage, as integrated storage gives and takes them: a compressed archive of the state, which only the unseal key opens, with its checksums, which are
/// sealed with it too.</summary>
internal sealed class RaftSnapshots(VaultStorage storage, ServerState state)
{
    private const string Pending = "pending";

    private static readonly string[] Names = ["meta.json", "state.bin", "SHA256SUMS", "SHA256SUMS.sealed"];

    /// <summary>Everything, as it is.</summary>
    public byte[] Take()
    {
        var meta = Encoding.UTF8.GetBytes(new JsonObject { ["Version"] = 1, ["ID"] = "bolt-snapshot", ["Index"] = 1, ["Term"] = 1, ["ConfigurationIndex"] = 1 }.ToJsonString());
        var content = Seal(Encoding.UTF8.GetBytes(storage.Dump().ToJsonString(JsonText.Options)), state.UnsealKey);
        var sums = Encoding.UTF8.GetBytes($"{Sum(meta)}  meta.json\n{Sum(content)}  state.bin\n");
        using var whole = new MemoryStream();
        using (var compressed = new GZipStream(whole, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(compressed))
        {
            foreach (var (name, bytes) in new[] { ("meta.json", meta), ("state.bin", content), ("SHA256SUMS", sums), ("SHA256SUMS.sealed", Seal(sums, state.UnsealKey)) })
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) });
        }

        return whole.ToArray();
    }

    /// <summary>Replaces everything by what a snapshot has.</summary>
    /// <param name="force">Also when it is another server's: then this one is sealed, and the other's key unseals it.</param>
    public void Restore(byte[] snapshot, bool force)
    {
        var files = Read(snapshot);
        if (!force && Open(files["SHA256SUMS.sealed"], state.UnsealKey) is null)
            throw VaultFailure.Rejected("could not verify hash file, possibly the snapshot is using a different set of unseal keys; use the snapshot-force API to bypass this check");
        if (Apply(files["state.bin"], state.UnsealKey))
            return;
        // What it has is there now, and nobody here can read it.
        storage.Put(Pending, new() { ["state"] = Convert.ToBase64String(files["state.bin"]) });
        state.Become(SandboxVaultState.Sealed);
    }

    /// <summary>Unseals what a snapshot of another server left. False: there is nothing of that kind.</summary>
    public bool Unseal(string key)
    {
        if (storage.Get(Pending) is not { } pending)
            return false;
        if (!Apply(Convert.FromBase64String(pending.String("state")!), key))
            throw VaultFailure.Rejected("unable to retrieve unseal keys: cipher: message authentication failed");
        return true;
    }

    private bool Apply(byte[] content, string key)
    {
        if (Open(content, key) is not { } dump)
            return false;
        storage.ReplaceAll(JsonNode.Parse(dump)!.AsObject());
        state.Become(SandboxVaultState.Active);
        return true;
    }

    private static Dictionary<string, byte[]> Read(byte[] snapshot)
    {
        var files = new Dictionary<string, byte[]>();
        try
        {
            using var tar = new TarReader(new GZipStream(new MemoryStream(snapshot), CompressionMode.Decompress));
            while (tar.GetNextEntry(copyData: true) is { } entry)
            {
                using var content = new MemoryStream();
                entry.DataStream?.CopyTo(content);
                files[entry.Name] = content.ToArray();
            }
        }
        catch (Exception failure) when (failure is InvalidDataException or EndOfStreamException or IOException)
        {
            throw new VaultFailure(500, $"1 error occurred:\n\t* failed to read snapshot file: {failure.Message}\n\n");
        }

        if (Names.FirstOrDefault(name => !files.ContainsKey(name)) is { } missing)
            throw new VaultFailure(500, $"1 error occurred:\n\t* failed to read snapshot file: {missing} is missing\n\n");
        if (Encoding.UTF8.GetString(files["SHA256SUMS"]) != $"{Sum(files["meta.json"])}  meta.json\n{Sum(files["state.bin"])}  state.bin\n")
            throw new VaultFailure(500, "1 error occurred:\n\t* failed to read snapshot file: hash check failed for state.bin\n\n");
        return files;
    }

    private static string Sum(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static byte[] Seal(byte[] plain, string key)
    {
        var box = new byte[12 + plain.Length + 16];
        RandomNumberGenerator.Fill(box.AsSpan(0, 12));
        using var cipher = new AesGcm(SHA256.HashData(Encoding.UTF8.GetBytes(key)), 16);
        cipher.Encrypt(box.AsSpan(0, 12), plain, box.AsSpan(12, plain.Length), box.AsSpan(12 + plain.Length));
        return box;
    }

    private static byte[]? Open(byte[] box, string key)
    {
        if (box.Length < 28)
            return null;
        var plain = new byte[box.Length - 28];
        using var cipher = new AesGcm(SHA256.HashData(Encoding.UTF8.GetBytes(key)), 16);
        try
        {
            cipher.Decrypt(box.AsSpan(0, 12), box.AsSpan(12, plain.Length), box.AsSpan(12 + plain.Length), plain);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}

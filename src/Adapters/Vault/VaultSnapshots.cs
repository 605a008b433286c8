using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;

namespace PlatformOps.Adapters.Vault;

/// <summary>Snapshots of everything that a Vault with integrated storage keeps. They are encrypted as its storage is: only its unseal keys, or the key that unseals it by itself, open them.</summary>
public sealed class VaultSnapshots(VaultConnection connection)
{
    /// <summary>How long a restore may take to be taken in.</summary>
    private static readonly TimeSpan Within = TimeSpan.FromMinutes(30);

    /// <summary>Writes a snapshot into a file, and looks whether all of it is there.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: it came broken.</exception>
    public async Task TakeAsync(string file, CancellationToken ct)
    {
        await using (var target = File.Create(file))
            await connection.DownloadAsync(VaultCall.Read("sys/storage/raft/snapshot", "take a snapshot"), target, ct);
        if (await TroubleAsync(file, ct) is { } trouble)
            throw new AdapterException(AdapterFailureKind.Unavailable, $"The snapshot of Vault at {connection.Options.Address} came broken: {trouble} Take it again.");
    }

    /// <summary>Replaces everything that a Vault has by what is in a snapshot. It answers before it is done: what is in it then is known by reading.</summary>
    /// <param name="force">Also when it has other unseal keys: then it is sealed afterwards, and those of the snapshot unseal it.</param>
    public async Task RestoreAsync(string file, bool force, CancellationToken ct)
    {
        await using var content = File.OpenRead(file);
        var call = VaultCall.Write(force ? "sys/storage/raft/snapshot-force" : "sys/storage/raft/snapshot", "restore a snapshot") with { Body = null, Content = content, Within = Within };
        await connection.SendAsync(call, ct);
    }

    /// <summary>What is wrong with a snapshot as a file; null: nothing that can be seen without its keys.</summary>
    public static async Task<string?> TroubleAsync(string file, CancellationToken ct)
    {
        var (sums, stated) = (new Dictionary<string, string>(), "");
        try
        {
            await using var content = File.OpenRead(file);
            await using var expanded = new GZipStream(content, CompressionMode.Decompress);
            await using var tar = new TarReader(expanded);
            while (await tar.GetNextEntryAsync(cancellationToken: ct) is { } entry)
            {
                if (entry.DataStream is not { } data)
                    continue;
                if (entry.Name == "SHA256SUMS")
                    stated = await new StreamReader(data).ReadToEndAsync(ct);
                else
                    sums[entry.Name] = Convert.ToHexStringLower(await SHA256.HashDataAsync(data, ct));
            }
        }
        catch (Exception failure) when (failure is InvalidDataException or EndOfStreamException)
        {
            return "it is no archive, or was cut.";
        }

        var lines = stated.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToList();
        if (lines.Count == 0 || !sums.ContainsKey("SHA256SUMS.sealed") || !sums.ContainsKey("state.bin"))
            return "not all of its files are in it.";
        return lines.Find(line => line.Length != 2 || sums.GetValueOrDefault(line[1]) != line[0]) is { } wrong ? $"{wrong[^1]} has another checksum than it states." : null;
    }
}

using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Platform.Backups.ClusterState;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>Archives that were damaged on their way.</summary>
public sealed class StateArchiveTests : IDisposable
{
    private static readonly ServedResource Secrets = new(new("v1", "Secret"), "secrets", true, [], true), ConfigMaps = new(new("v1", "ConfigMap"), "configmaps", true, [], true);

    private static readonly SealingKey OtherKey = SealingKey.Read(new(new string('7', 64)), "the other key");

    private readonly string folder = Directory.CreateTempSubdirectory("platformops-test-").FullName;
    private readonly StateArchive archive;

    public StateArchiveTests() => archive = new(folder, StateCluster.Key, "set-1");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    // Around the limits of a chunk, of several, and of none.
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(131_072)]
    [InlineData(200_000)]
    public async Task What_was_sealed_is_unsealed_byte_for_byte_and_no_byte_of_it_can_change(int length)
    {
        var plain = new byte[length];
        new Random(length).NextBytes(plain);
        using var file = new MemoryStream();
        await using (var sealing = new SealingStream(file, StateCluster.Key, "it"))
        {
            await sealing.WriteAsync(plain, Ct);
            await sealing.CompleteAsync(Ct);
        }

        Assert.Equal(plain, await UnsealAsync(file.ToArray()));
        var written = file.ToArray();
        foreach (var position in new[] { 0, 10, 20, 47, 48, written.Length / 2, written.Length - 1 })
        {
            var damaged = written.ToArray();
            damaged[position] ^= 1;
            await Assert.ThrowsAsync<AdapterException>(() => UnsealAsync(damaged));
        }

        foreach (var cut in new[] { 0, 30, 48, 60, written.Length - 1, 48 + 65_536 + 16, 48 + (2 * (65_536 + 16)) }.Where(cut => cut < written.Length))
            await Assert.ThrowsAsync<AdapterException>(() => UnsealAsync(written[..cut]));
        await Assert.ThrowsAsync<AdapterException>(() => UnsealAsync([.. written, 0]));
        await Assert.ThrowsAsync<AdapterException>(() => UnsealAsync(written, name: "something else"));
    }

    [Fact]
    public async Task A_flipped_byte_a_cut_file_and_a_missing_one_are_each_found_and_named()
    {
        var manifest = await WriteAsync();
        Assert.Empty(ArchiveCheck.Compare(manifest, await archive.MeasureAsync(Ct)));
        var whole = await File.ReadAllBytesAsync(archive.FileOf("secrets"), Ct);

        var flipped = whole.ToArray();
        flipped[^20] ^= 4;
        await File.WriteAllBytesAsync(archive.FileOf("secrets"), flipped, Ct);
        Assert.Equal(["secrets has another checksum than when it was written: it is damaged. Its 2 objects of v1/Secret cannot be trusted."], ArchiveCheck.Compare(manifest, await archive.MeasureAsync(Ct)));
        var failure = await Assert.ThrowsAsync<AdapterException>(() => ReadAsync(archive, manifest, "secrets"));
        Assert.Contains("set-1/secrets cannot be decrypted", failure.Message, StringComparison.Ordinal);

        await File.WriteAllBytesAsync(archive.FileOf("secrets"), whole[..^5], Ct);
        Assert.Contains("bytes instead of", Assert.Single(ArchiveCheck.Compare(manifest, await archive.MeasureAsync(Ct))), StringComparison.Ordinal);

        File.Delete(archive.FileOf("secrets"));
        File.Copy(archive.FileOf("configmaps"), archive.FileOf("stray"));
        Assert.Equal(
            ["secrets is missing: 2 objects of v1/Secret cannot be restored from this set.", "stray is there, and the manifest does not know it."],
            ArchiveCheck.Compare(manifest, await archive.MeasureAsync(Ct)));
        failure = await Assert.ThrowsAsync<AdapterException>(() => ReadAsync(archive, manifest, "secrets"));
        Assert.Equal(AdapterFailureKind.Missing, failure.Kind);
    }

    [Fact]
    public async Task A_wrong_key_is_named_as_such_and_not_taken_for_damage()
    {
        var manifest = await WriteAsync();
        var wrong = new StateArchive(folder, OtherKey, "set-1");

        var failure = await Assert.ThrowsAsync<AdapterException>(() => wrong.ManifestAsync(Ct));
        Assert.Equal($"Set set-1 cannot be trusted: It is encrypted with key {StateCluster.Key.Id}, and the key at hand is {OtherKey.Id}. Name the key that was in use when it was written.", failure.Message);
        failure = await Assert.ThrowsAsync<AdapterException>(() => ReadAsync(wrong, manifest, "secrets"));
        Assert.Contains($"is encrypted with key {StateCluster.Key.Id}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_without_the_key_can_take_a_part_out_of_the_manifest_or_put_one_of_another_set_in()
    {
        var manifest = await WriteAsync();
        var file = Path.Combine(folder, ArchiveManifest.FileName);
        var text = await File.ReadAllTextAsync(file, Ct);

        await File.WriteAllTextAsync(file, (manifest with { Parts = [manifest.Parts[0]] }).ToJson(), Ct);
        Assert.Contains("was changed after it was written", (await Assert.ThrowsAsync<AdapterException>(() => archive.ManifestAsync(Ct))).Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, text[..^10], Ct);
        Assert.Contains("is damaged", (await Assert.ThrowsAsync<AdapterException>(() => archive.ManifestAsync(Ct))).Message, StringComparison.Ordinal);
        File.Delete(file);
        Assert.Equal(AdapterFailureKind.Missing, (await Assert.ThrowsAsync<AdapterException>(() => archive.ManifestAsync(Ct))).Kind);

        await File.WriteAllTextAsync(file, text, Ct);
        Assert.Equal(manifest.Seal, (await archive.ManifestAsync(Ct)).Seal);
        var other = new StateArchive(folder, StateCluster.Key, "set-2");
        Assert.Contains("is that of set set-1", (await Assert.ThrowsAsync<AdapterException>(() => other.ManifestAsync(Ct))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<AdapterException>(() => ReadAsync(other, manifest, "secrets"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("AAAA")]
    [InlineData("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")]
    public void What_is_no_key_is_refused_without_repeating_it(string text)
    {
        var failure = Assert.Throws<AdapterException>(() => SealingKey.Read(new(text), "backups#key"));

        Assert.StartsWith("backups#key is no key for backups: 32 bytes", failure.Message, StringComparison.Ordinal);
        Assert.True(text.Length == 0 || !failure.Message.Contains(text, StringComparison.Ordinal));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private async Task<ArchiveManifest> WriteAsync()
    {
        var parts = new[] { await archive.WriteAsync(ConfigMaps, ObjectsAsync("ConfigMap", 3), Ct), await archive.WriteAsync(Secrets, ObjectsAsync("Secret", 2), Ct) };
        return await archive.FinishAsync(new()
        {
            Format = ArchiveManifest.CurrentFormat,
            Set = "set-1",
            Environment = "production",
            Region = "us-east-1",
            KubernetesVersion = "v1.33.0",
            StartedAt = DateTimeOffset.UnixEpoch,
            FinishedAt = DateTimeOffset.UnixEpoch,
            KeyId = "",
            Parts = parts,
            LeftOut = [],
        }, Ct);
    }

    private static async IAsyncEnumerable<JsonObject> ObjectsAsync(string kind, int count)
    {
        for (var number = 0; number < count; number++)
        {
            await Task.Yield();
            yield return new() { ["apiVersion"] = "v1", ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = $"n{number}" } };
        }
    }

    private static async Task ReadAsync(StateArchive archive, ArchiveManifest manifest, string part)
    {
        await foreach (var item in archive.ReadAsync(manifest.Parts.Single(known => known.Name == part), Ct))
            Assert.NotNull(item);
    }

    private static async Task<byte[]> UnsealAsync(byte[] file, string name = "it")
    {
        await using var unsealing = new UnsealingStream(new MemoryStream(file), StateCluster.Key, name);
        using var plain = new MemoryStream();
        await unsealing.CopyToAsync(plain, Ct);
        return plain.ToArray();
    }
}

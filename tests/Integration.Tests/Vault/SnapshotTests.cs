using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;
using PlatformOps.Sandbox;

namespace PlatformOps.Integration.Tests.Vault;

/// <summary>Snapshots of everything that a Vault keeps.</summary>
public sealed class SnapshotTests : IDisposable
{
    private readonly string file = Path.GetTempFileName();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_written_after_a_snapshot_is_gone_after_its_restore_and_what_was_removed_is_back()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Contents);
        await new VaultSystem(vault.Root).MountAsync("secret", "kv", Ct, options: new Dictionary<string, string> { ["version"] = "2" });
        var values = new VaultKeyValues(vault.Root);
        await values.WriteAsync("kept", Value("before"), null, Ct);
        var token = await new VaultTokens(vault.Root).NewAsync(null, ["root-of-nothing"], TimeSpan.FromHours(1), "worker", new Dictionary<string, string>(), Ct);
        await new VaultSnapshots(vault.Root).TakeAsync(file, Ct);
        await values.WriteAsync("kept", Value("after"), null, Ct);
        await values.WriteAsync("new", Value("after"), null, Ct);
        await new VaultTokens(vault.Root).RevokeAsync(token.Accessor, Ct);

        await new VaultSnapshots(vault.Root).RestoreAsync(file, force: false, Ct);

        Assert.Equal("before", (await values.ReadAsync("kept", Ct))!.Values!["value"].Reveal());
        Assert.Null(await values.ReadAsync("new", Ct));
        // That is why a restore needs a fence: what was revoked since is not.
        Assert.NotNull(await new VaultTokens(vault.Root).FindAsync(token.Token, Ct));
    }

    [Fact]
    public async Task A_snapshot_of_another_Vault_needs_force_and_its_own_keys()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Contents);
        await using var other = await StandIn.StartAsync(needs: OnlyTheStandIn.Contents);
        await new VaultSystem(vault.Root).MountAsync("secret", "kv", Ct, options: new Dictionary<string, string> { ["version"] = "2" });
        await new VaultKeyValues(vault.Root).WriteAsync("kept", Value("mine"), null, Ct);
        await new VaultSnapshots(vault.Root).TakeAsync(file, Ct);

        var refused = await Assert.ThrowsAsync<VaultException>(() => new VaultSnapshots(other.Root).RestoreAsync(file, force: false, Ct));
        Assert.Contains("different set of unseal keys", refused.Message, StringComparison.Ordinal);
        await new VaultSnapshots(other.Root).RestoreAsync(file, force: true, Ct);
        Assert.True((await new VaultSystem(other.Root).SealStatusAsync(Ct)).Sealed);
        await Assert.ThrowsAsync<VaultException>(() => new VaultSystem(other.Root).UnsealAsync(new("not-the-key"), Ct));
        Assert.False(await new VaultSystem(other.Root).UnsealAsync(new(vault.Server.UnsealKey), Ct));
        Assert.Equal("mine", (await new VaultKeyValues(other.Connect(new GivenToken(new(vault.Server.RootToken)))).ReadAsync("kept", Ct))!.Values!["value"].Reveal());
        // Its own tokens are gone with everything else.
        Assert.Equal(AdapterFailureKind.Unauthorized, (await Assert.ThrowsAsync<VaultException>(() => new VaultSystem(other.Root).PoliciesAsync(Ct))).Kind);
    }

    [Fact]
    public async Task A_snapshot_that_came_broken_is_not_taken_for_one()
    {
        await using var vault = await StandIn.StartAsync(needs: OnlyTheStandIn.Contents);
        await new VaultSnapshots(vault.Root).TakeAsync(file, Ct);
        Assert.Null(await VaultSnapshots.TroubleAsync(file, Ct));
        var whole = await File.ReadAllBytesAsync(file, Ct);

        await File.WriteAllBytesAsync(file, whole[..(whole.Length / 2)], Ct);
        Assert.NotNull(await VaultSnapshots.TroubleAsync(file, Ct));
        await File.WriteAllTextAsync(file, "<html>a proxy's page</html>", Ct);
        Assert.Equal("it is no archive, or was cut.", await VaultSnapshots.TroubleAsync(file, Ct));
        await Assert.ThrowsAsync<VaultException>(() => new VaultSnapshots(vault.Root).RestoreAsync(file, force: false, Ct));
        vault.Server.Inject(new() { Kind = FaultKind.Error, StatusCode = 500, Path = "/v1/sys/storage/raft/snapshot" });
        Assert.Equal(AdapterFailureKind.Unavailable, (await Assert.ThrowsAsync<VaultException>(() => new VaultSnapshots(vault.Root).TakeAsync(file, Ct))).Kind);
    }

    public void Dispose() => File.Delete(file);

    private static Dictionary<string, SecretText> Value(string value) => new() { ["value"] = new(value) };
}

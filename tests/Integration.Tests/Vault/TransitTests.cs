using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;

namespace PlatformOps.Integration.Tests.Vault;

public class TransitTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Old_texts_decrypt_after_a_rotation_until_their_version_is_retired()
    {
        await using var vault = await TestVault.StartAsync();
        var transit = new VaultTransit(vault.Root, await vault.MountAsync("transit"));
        await transit.CreateKeyAsync("codec", Ct);
        var old = await transit.EncryptAsync("codec", new("payload"), Ct);

        await transit.RotateAsync("codec", Ct);
        Assert.StartsWith("vault:v1:", old, StringComparison.Ordinal);
        Assert.Equal("payload", (await transit.DecryptAsync("codec", old, Ct)).Reveal());
        var rewrapped = await transit.RewrapAsync("codec", old, Ct);
        Assert.StartsWith("vault:v2:", rewrapped, StringComparison.Ordinal);
        await transit.SetOldestVersionAsync("codec", 2, Ct);

        Assert.Equal("payload", (await transit.DecryptAsync("codec", rewrapped, Ct)).Reveal());
        Assert.Equal(AdapterFailureKind.Rejected, (await Assert.ThrowsAsync<VaultException>(() => transit.DecryptAsync("codec", old, Ct))).Kind);
        Assert.Equal((2, 2), ((await transit.ReadKeyAsync("codec", Ct))!.LatestVersion, (await transit.ReadKeyAsync("codec", Ct))!.OldestVersion));
    }

    [Fact]
    public async Task A_text_that_was_changed_does_not_decrypt()
    {
        await using var vault = await TestVault.StartAsync();
        var transit = new VaultTransit(vault.Root, await vault.MountAsync("transit"));
        await transit.CreateKeyAsync("codec", Ct);
        var text = await transit.EncryptAsync("codec", new("payload"), Ct);
        var changed = text[..12] + (text[12] == 'A' ? 'B' : 'A') + text[13..];

        await Assert.ThrowsAsync<VaultException>(() => transit.DecryptAsync("codec", changed, Ct));
    }

    [Fact]
    public async Task A_key_is_deleted_only_after_that_was_allowed()
    {
        await using var vault = await TestVault.StartAsync();
        var transit = new VaultTransit(vault.Root, await vault.MountAsync("transit"));
        await transit.CreateKeyAsync("codec", Ct);

        await Assert.ThrowsAsync<VaultException>(() => transit.DeleteKeyAsync("codec", Ct));
        await transit.AllowDeletionAsync("codec", Ct);
        await transit.DeleteKeyAsync("codec", Ct);

        Assert.Empty(await transit.KeysAsync(Ct));
        Assert.Null(await transit.ReadKeyAsync("codec", Ct));
    }
}

using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;

namespace PlatformOps.Integration.Tests.Vault;

public class KeyValueTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_secret_is_read_as_it_was_written_and_each_write_is_a_version()
    {
        await using var vault = await TestVault.StartAsync();
        var store = await vault.KeyValuesAsync();

        Assert.Null(await store.ReadAsync("orders/database", Ct));
        Assert.Equal(1, await store.WriteAsync("orders/database", Values("one"), 0, Ct));
        Assert.Equal(2, await store.WriteAsync("orders/database", Values("two"), 1, Ct));

        Assert.Equal("two", (await store.ReadAsync("orders/database", Ct))!.Values!["password"].Reveal());
        Assert.Equal("one", (await store.ReadAsync("orders/database", Ct, version: 1))!.Values!["password"].Reveal());
        Assert.Null(await store.ReadAsync("orders/database", Ct, version: 3));
    }

    [Fact]
    public async Task A_write_that_is_bound_to_another_version_changes_nothing()
    {
        await using var vault = await TestVault.StartAsync();
        var store = await vault.KeyValuesAsync();
        await store.WriteAsync("orders", Values("one"), 0, Ct);

        var failure = await Assert.ThrowsAsync<VaultException>(() => store.WriteAsync("orders", Values("two"), 0, Ct));

        Assert.Equal((AdapterFailureKind.Moved, VaultTrouble.CheckAndSet, 400), (failure.Kind, failure.Trouble, failure.StatusCode));
        Assert.Equal(1, (await store.ReadAsync("orders", Ct))!.Version);
    }

    [Fact]
    public async Task A_secret_that_requires_check_and_set_takes_no_other_write()
    {
        await using var vault = await TestVault.StartAsync();
        var store = await vault.KeyValuesAsync();
        await store.WriteMetadataAsync("orders", Ct, maximumVersions: 2, checkAndSetRequired: true, custom: new Dictionary<string, string> { ["rotation"] = "42" });

        var failure = await Assert.ThrowsAsync<VaultException>(() => store.WriteAsync("orders", Values("one"), null, Ct));
        Assert.Equal(VaultTrouble.CheckAndSet, failure.Trouble);
        foreach (var version in (int[])[0, 1, 2])
            await store.WriteAsync("orders", Values("x"), version, Ct);

        var metadata = await store.MetadataAsync("orders", Ct);
        Assert.Equal((3, true, 2), (metadata!.CurrentVersion, metadata.CheckAndSetRequired, metadata.MaximumVersions));
        Assert.Equal([2, 3], metadata.Versions.Keys.Order());
        Assert.Equal("42", metadata.Custom["rotation"]);
    }

    [Fact]
    public async Task A_deleted_version_comes_back_and_a_destroyed_one_does_not()
    {
        await using var vault = await TestVault.StartAsync();
        var store = await vault.KeyValuesAsync();
        await store.WriteAsync("orders", Values("one"), 0, Ct);
        await store.WriteAsync("orders", Values("two"), 1, Ct);

        await store.DeleteAsync("orders", [2], Ct);
        var deleted = await store.ReadAsync("orders", Ct);
        Assert.Equal((2, true, false, true), (deleted!.Version, deleted.Deleted, deleted.Destroyed, deleted.Values is null));
        await store.UndeleteAsync("orders", [2], Ct);
        Assert.Equal("two", (await store.ReadAsync("orders", Ct))!.Values!["password"].Reveal());
        await store.DestroyAsync("orders", [1], Ct);
        await store.UndeleteAsync("orders", [1], Ct);
        Assert.True((await store.ReadAsync("orders", Ct, version: 1)) is { Destroyed: true, Values: null });

        await store.DeleteAllAsync("orders", Ct);
        Assert.Null(await store.ReadAsync("orders", Ct));
        Assert.Null(await store.MetadataAsync("orders", Ct));
    }

    [Fact]
    public async Task Lists_show_names_and_folders_and_nothing_is_an_empty_list()
    {
        await using var vault = await TestVault.StartAsync();
        var store = await vault.KeyValuesAsync();
        Assert.Empty(await store.ListAsync("", Ct));
        await store.WriteAsync("orders/database", Values("x"), 0, Ct);
        await store.WriteAsync("orders/cache/one", Values("x"), 0, Ct);

        Assert.Equal(["orders/"], await store.ListAsync("", Ct));
        Assert.Equal(["cache/", "database"], await store.ListAsync("orders", Ct));
    }

    private static Dictionary<string, SecretText> Values(string password) => new() { ["username"] = new("orders"), ["password"] = new(password) };
}

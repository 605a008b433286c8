using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.Vault;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>What a restored Vault takes for valid that had been revoked, and what of it only people can see to.</summary>
public sealed class VaultRevivalTests
{
    private static readonly VaultInventory Before = new()
    {
        At = Sets.Now,
        Tokens = new HashSet<string> { "kept", "new" },
        Leases = new HashSet<string> { "database/creds/shop/kept", "database/creds/shop/new1", "database/creds/shop/new2" },
        Roles = [new("approle", "shop", new HashSet<string> { "kept", "new" }), new("approle", "made-since", new HashSet<string> { "x" })],
        Authorities = [new("pki", new HashSet<string> { "01", "02", "03", "04" }, new Dictionary<string, string> { ["02"] = "PEM2", ["04"] = "PEM4" }, new Dictionary<string, bool> { ["root"] = true, ["since"] = false })],
        Secrets = [new("secret", "shop", 5, new HashSet<int> { 2 }, new HashSet<int> { 1, 2, 4 }), new("secret", "hidden", 1, new HashSet<int> { 1 }, new HashSet<int>()), new("secret", "since", 1, new HashSet<int>(), new HashSet<int>())],
        Policies = new Dictionary<string, string> { ["same"] = "a", ["tightened"] = "new", ["since"] = "b" },
        Mounts = ["secret/ kv", "since/ kv"],
    };

    private static readonly VaultInventory After = new()
    {
        At = Sets.Now,
        Tokens = new HashSet<string> { "kept", "revoked" },
        Leases = new HashSet<string> { "database/creds/shop/kept", "database/creds/shop/revoked" },
        Roles = [new("approle", "shop", new HashSet<string> { "kept", "revoked" }), new("approle", "removed", new HashSet<string> { "y" })],
        Authorities = [new("pki", new HashSet<string> { "01", "02" }, new Dictionary<string, string>(), new Dictionary<string, bool> { ["root"] = false, ["removed"] = false })],
        Secrets = [new("secret", "shop", 3, new HashSet<int>(), new HashSet<int> { 1 }), new("secret", "hidden", 1, new HashSet<int>(), new HashSet<int>()), new("secret", "removed", 2, new HashSet<int>(), new HashSet<int>())],
        Policies = new Dictionary<string, string> { ["same"] = "a", ["tightened"] = "old", ["removed"] = "c" },
        Mounts = ["removed/ kv", "secret/ kv"],
    };

    [Fact]
    public void What_was_revoked_since_is_to_be_revoked_again_and_nothing_else()
    {
        Assert.Equal(
        [
            "token revoked", "lease database/creds/shop/revoked", "secret id revoked of role shop (approle)", "secret id y of role removed (approle)", "certificate 02 of pki", "certificate 04 of pki", "issuer root of pki",
            "destroyed version 2 of secret/shop", "deleted version 1 of secret/hidden",
        ],
            VaultRevival.Of(Before, After).Again.Select(again => $"{again}"));
        // The restored one does not know it: it has to be given.
        Assert.Equal((null, "PEM4"), (Again("02").Id, Again("04").Id));
        Assert.Empty(VaultRevival.Of(Before, Before).Again);
        Assert.Empty(VaultRevival.Of(Before, Before).Named);

        static Revived Again(string serial) => VaultRevival.Of(Before, After).Again.Single(again => again.Name == serial);
    }

    [Fact]
    public void What_cannot_be_taken_back_is_named_one_by_one()
    {
        var named = VaultRevival.Of(Before, After).Named;
        Assert.All(
            new[]
            {
                "2 leases of database/creds/shop were handed out since", "1 secret ids of role shop (approle) were made since", "1 secret ids of role made-since (approle) were made since", "1 certificates of pki were issued since: the restored Vault does not know them, and revokes them only when it is given them: 03.",
                "Issuer since of pki was made since and is gone", "Issuer removed of pki had been removed and is there again", "secret/removed had been removed and is there again, at version 2",
                "Role removed (approle) had been removed and is there again.", "secret/shop is at version 3 again, and was at 5", "secret/since was written since and is gone.", "Policy tightened was another one", "Policy since was made since and is gone.", "Policy removed had been removed and is there again.",
                "since/ kv was mounted since and is gone.", "removed/ kv had been removed and is there again",
            },
            expected => Assert.Contains(named, sentence => sentence.StartsWith(expected, StringComparison.Ordinal)));
        Assert.Equal(15, named.Count);
    }

    [Fact]
    public void Where_nobody_knows_what_was_valid_everything_that_is_valid_is_named() => Assert.Equal(
        ["token kept is valid.", "token revoked is valid.", "lease database/creds/shop/kept is valid."], VaultRevival.Everything(After).Take(3));

    [Fact]
    public void An_inventory_is_read_as_it_was_written()
    {
        var read = VaultInventory.Read(Before.ToJson());
        Assert.Empty(VaultRevival.Of(Before, read).Again);
        Assert.Empty(VaultRevival.Of(read, Before).Named);
    }

    [Theory]
    [InlineData(true, false, "1.15.2", null)]
    [InlineData(true, false, "1.16.0+ent", null)]
    [InlineData(true, false, "1.14.9", "Upgrade it first.")]
    [InlineData(true, true, "1.15.2", "Unseal it")]
    [InlineData(false, true, "1.15.2", "Initialize it")]
    public void A_set_goes_into_a_Vault_that_is_open_and_not_older(bool initialized, bool sealedNow, string version, string? why)
    {
        var manifest = new VaultSnapshotManifest
        {
            Format = VaultSnapshotManifest.CurrentFormat,
            Set = "one",
            Environment = "production",
            Region = "us-east-1",
            VaultVersion = "1.15.2",
            StartedAt = Sets.Now,
            FinishedAt = Sets.Now,
            Bytes = 1,
            SnapshotDigest = "d",
            Mounts = [],
        };
        var found = VaultRestoreRules.WhyNot(manifest, "https://vault:8200", initialized, sealedNow, version);
        Assert.Equal(why is null, found is null);
        if (why is not null)
            Assert.Contains(why, found, StringComparison.Ordinal);
    }
}

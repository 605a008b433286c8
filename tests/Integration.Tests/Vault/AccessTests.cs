using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;

namespace PlatformOps.Integration.Tests.Vault;

public class AccessTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_may_do_what_its_policy_says_and_nothing_else()
    {
        await using var vault = await TestVault.StartAsync();
        var all = await vault.KeyValuesAsync();
        var mount = $"{vault.Name}-kv";
        var some = new VaultKeyValues(
            await vault.WithPolicyAsync($$"""
                # Reads everything of one team, and creates but never replaces.
                path "{{mount}}/data/team/*" { capabilities = ["read", "create"] }
                path "{{mount}}/data/team/secret" { capabilities = ["deny"] }
                path "{{mount}}/metadata/+/names" { capabilities = ["read"] }
                """),
            mount);
        await all.WriteAsync("team/secret", Value("x"), 0, Ct);
        await all.WriteAsync("team/names", Value("x"), 0, Ct);

        Assert.Equal(1, await some.WriteAsync("team/new", Value("x"), 0, Ct));
        Assert.Equal("x", (await some.ReadAsync("team/new", Ct))!.Values!["value"].Reveal());
        Assert.NotNull(await some.MetadataAsync("team/names", Ct));
        await AssertDeniedAsync(() => some.WriteAsync("team/new", Value("y"), 1, Ct));
        await AssertDeniedAsync(() => some.ReadAsync("team/secret", Ct));
        await AssertDeniedAsync(() => some.ReadAsync("others/database", Ct));
        await AssertDeniedAsync(() => some.MetadataAsync("team/new", Ct));
        await AssertDeniedAsync(() => some.ListAsync("team", Ct));
        await AssertDeniedAsync(() => some.DeleteAsync("team/new", [1], Ct));
    }

    [Fact]
    public async Task Capabilities_are_those_of_the_most_specific_path()
    {
        await using var vault = await TestVault.StartAsync();
        var connection = await vault.WithPolicyAsync("""
            path "one/*" { capabilities = ["read"] }
            path "one/two/*" { capabilities = ["list", "update"] }
            path "one/+/three" { capabilities = ["delete"] }
            path "one/two/no" { capabilities = ["deny", "read"] }
            """);

        var capabilities = await new VaultTokens(connection).CapabilitiesAsync(["one/x", "one/two/x", "one/x/three", "one/two/three", "one/two/no", "other"], Ct);

        Assert.Equal(["read"], capabilities["one/x"]);
        Assert.Equal(["list", "update"], capabilities["one/two/x"]);
        Assert.Equal(["delete"], capabilities["one/x/three"]);
        Assert.Equal(["list", "update"], capabilities["one/two/three"]);
        Assert.Equal(["deny"], capabilities["one/two/no"]);
        Assert.Equal(["deny"], capabilities["other"]);
        Assert.Equal(["root"], (await new VaultTokens(vault.Root).CapabilitiesAsync(["other"], Ct))["other"]);
    }

    [Fact]
    public async Task Policies_are_written_read_listed_and_deleted()
    {
        await using var vault = await TestVault.StartAsync();
        const string rules = "path \"a/*\" { capabilities = [\"read\"] }";
        var name = await vault.PolicyAsync(rules);

        Assert.Equal(rules, await vault.System.ReadPolicyAsync(name, Ct));
        Assert.Contains(name, await vault.System.PoliciesAsync(Ct));
        await vault.System.DeletePolicyAsync(name, Ct);
        Assert.Null(await vault.System.ReadPolicyAsync(name, Ct));
        Assert.Equal(AdapterFailureKind.Rejected, (await Assert.ThrowsAsync<VaultException>(() => vault.System.WritePolicyAsync(name, "path { nothing", Ct))).Kind);
    }

    [Fact]
    public async Task A_secret_id_logs_in_until_it_is_destroyed()
    {
        await using var vault = await TestVault.StartAsync();
        var method = await vault.LoginMethodAsync("approle");
        var roles = new VaultAppRoles(vault.Root, method);
        var terms = new VaultTokenTerms(["default"], TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(20));
        await roles.WriteAsync("rotation", terms, TimeSpan.FromHours(1), Ct);
        var (first, second) = (await roles.NewSecretIdAsync("rotation", Ct), await roles.NewSecretIdAsync("rotation", Ct));
        var id = await roles.RoleIdAsync("rotation", Ct);

        var login = await VaultLogins.AppRole(id, _ => Task.FromResult(first.Value), method)(vault.Root, Ct);
        Assert.Equal((TimeSpan.FromMinutes(10), true), (login.Ttl, login.Renewable));
        Assert.Equal(new[] { first.Accessor, second.Accessor }.Order(), (await roles.SecretIdsAsync("rotation", Ct)).Order());
        await roles.DestroySecretIdAsync("rotation", first.Accessor, Ct);
        await roles.DestroySecretIdAsync("rotation", first.Accessor, Ct);

        var failure = await Assert.ThrowsAsync<VaultException>(() => VaultLogins.AppRole(id, _ => Task.FromResult(first.Value), method)(vault.Root, Ct));
        Assert.DoesNotContain(first.Value.Reveal(), failure.ToString(), StringComparison.Ordinal);
        Assert.NotNull(await VaultLogins.AppRole(id, _ => Task.FromResult(second.Value), method)(vault.Root, Ct));
        Assert.Equal(terms.Ttl, (await roles.ReadAsync("rotation", Ct))!.Ttl);
        await roles.DeleteAsync("rotation", Ct);
        Assert.Null(await roles.ReadAsync("rotation", Ct));
    }

    [Fact]
    public async Task A_token_looks_at_itself_renews_itself_and_gives_itself_back()
    {
        await using var vault = await TestVault.StartAsync();
        var tokens = new VaultTokens(await vault.WithPolicyAsync("path \"a\" { capabilities = [\"read\"] }"));

        var info = await tokens.LookUpSelfAsync(Ct);
        Assert.Contains("default", info.Policies);
        Assert.InRange((await tokens.RenewSelfAsync(TimeSpan.FromMinutes(5), Ct)).Ttl, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(5));
        await tokens.RevokeSelfAsync(Ct);

        // The next call has a token of its own again: only the first one was given back.
        await Assert.ThrowsAsync<VaultException>(() => tokens.LookUpSelfAsync(Ct));
        Assert.NotEqual(info.Accessor, (await tokens.LookUpSelfAsync(Ct)).Accessor);
    }

    [Fact]
    public async Task Mounts_and_login_methods_are_shown_with_their_types_and_a_path_is_taken_once()
    {
        await using var vault = await TestVault.StartAsync();
        await vault.KeyValuesAsync();
        var method = await vault.LoginMethodAsync("kubernetes");

        var mount = (await vault.System.MountsAsync(Ct))[$"{vault.Name}-kv/"];
        Assert.Equal(("kv", "2"), (mount.Type, mount.Options["version"]));
        Assert.Equal("kubernetes", (await vault.System.LoginMethodsAsync(Ct))[$"{method}/"].Type);
        var failure = await Assert.ThrowsAsync<VaultException>(() => vault.System.MountAsync($"{vault.Name}-kv", "transit", Ct));
        Assert.Contains("path is already in use", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Roles_of_service_accounts_are_read_as_they_were_written()
    {
        await using var vault = await TestVault.StartAsync();
        var roles = new VaultKubernetesRoles(vault.Root, await vault.LoginMethodAsync("kubernetes"));
        await roles.ConfigureAsync(new("https://127.0.0.1:6443"), null, Ct);
        await roles.WriteAsync("orders", new(["orders"], ["temporal-product"], new(["default"], TimeSpan.FromHours(1), TimeSpan.FromHours(2))), Ct);

        var role = (await roles.ReadAsync("orders", Ct))!;
        Assert.Equal(["orders"], role.ServiceAccounts);
        Assert.Equal(["temporal-product"], role.Namespaces);
        Assert.Equal(TimeSpan.FromHours(1), role.Terms.Ttl);
        Assert.Equal(["orders"], await roles.RolesAsync(Ct));
        await roles.DeleteAsync("orders", Ct);
        Assert.Null(await roles.ReadAsync("orders", Ct));
    }

    [Fact]
    public async Task Its_health_says_that_it_is_active()
    {
        await using var vault = await TestVault.StartAsync();
        var health = await vault.System.HealthAsync(Ct);
        Assert.True(health.IsActive, health.ToString());
        Assert.False((await vault.System.SealStatusAsync(Ct)).Sealed);
    }

    [Fact]
    public async Task A_path_that_nothing_is_mounted_at_is_not_an_absent_secret()
    {
        await using var vault = await TestVault.StartAsync();
        var failure = await Assert.ThrowsAsync<VaultException>(() => new VaultKeyValues(vault.Root, $"{vault.Name}-nothing").ReadAsync("orders", Ct));
        Assert.Equal((AdapterFailureKind.NotServed, VaultTrouble.NoRoute), (failure.Kind, failure.Trouble));
    }

    private static Dictionary<string, SecretText> Value(string value) => new() { ["value"] = new(value) };

    private static async Task AssertDeniedAsync(Func<Task> call)
    {
        var failure = await Assert.ThrowsAsync<VaultException>(call);
        Assert.Equal((AdapterFailureKind.Forbidden, VaultTrouble.Denied, 403), (failure.Kind, failure.Trouble, failure.StatusCode));
    }
}

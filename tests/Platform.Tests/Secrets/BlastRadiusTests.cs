using PlatformOps.Platform.Secrets;

namespace PlatformOps.Platform.Tests.Secrets;

/// <summary>What a leak reaches, and in which order it is rotated.</summary>
public sealed class BlastRadiusTests
{
    private static readonly RotatableSecret
        Shop = Secret("shop", RotationKind.PostgresqlUsers, "platform/shop", ["shop", "shop_clone"]),
        Cache = Secret("cache", RotationKind.RedisUsers, "platform/cache", ["default"]),
        Deploy = Secret("deploy", RotationKind.ServiceToken, "tools/deploy", ["42"]),
        Role = Secret("role", RotationKind.AppRoleSecretId, "platform/role", ["approle/automation"], ["platform"]),
        Token = Secret("token", RotationKind.VaultToken, "tools/token", [], everything: true);

    private static readonly SecretUse[] Uses =
    [
        new("r", "space/Deployment/web", "space/web", ["space/shop", "space/cache", "space/licence"]),
        new("r", "space/Deployment/jobs", "space/jobs", ["space/shop"]),
    ];

    [Fact]
    public void A_login_reaches_its_own_secret_and_nothing_else()
    {
        var plan = BlastRadius.Of(null, "shop_clone", [Shop, Cache, Role], Uses);
        var reached = Assert.Single(plan.Reached);
        Assert.Equal(("shop", 0, 0), (reached.Name, reached.Wave, reached.Opens));
        Assert.Equal(["space/Deployment/jobs", "space/Deployment/web"], reached.Consumers);
        Assert.Empty(plan.Unrotatable);
    }

    [Theory]
    [InlineData("space/web")]
    [InlineData("system:serviceaccount:space:web")]
    [InlineData("space/Deployment/web")]
    public void Who_runs_as_it_has_everything_that_it_uses_also_what_nobody_rotates(string identity)
    {
        var plan = BlastRadius.Of(null, identity, [Shop, Cache, Deploy], Uses);
        Assert.Equal(["shop", "cache"], plan.Reached.Select(secret => secret.Name));
        Assert.Contains("Secret space/licence of r, which space/Deployment/web uses, is rotated by nobody", Assert.Single(plan.Unrotatable), StringComparison.Ordinal);
    }

    [Fact]
    public void A_credential_of_Vault_ends_before_what_it_lets_read_is_replaced()
    {
        // The role reads platform/, the token reads everything, and is not in the role's reach.
        var plan = BlastRadius.Of("platform/role", null, [Shop, Cache, Deploy, Role, Token], Uses);
        Assert.Equal(["role:0", "shop:1", "cache:1"], plan.Reached.Select(secret => $"{secret.Name}:{secret.Wave}"));
        Assert.Equal("role lets read platform/shop in Vault.", plan.Reached[1].Why);

        plan = BlastRadius.Of("tools/token", null, [Shop, Cache, Deploy, Role, Token], Uses);
        Assert.Equal(["token:0", "role:1", "shop:2", "cache:2", "deploy:2"], plan.Reached.Select(secret => $"{secret.Name}:{secret.Wave}"));
        Assert.Equal([4, 2, 0, 0, 0], plan.Reached.Select(secret => secret.Opens));
    }

    [Fact]
    public void Nobody_waits_for_a_credential_that_cannot_read_it()
    {
        var plan = BlastRadius.Of(null, "space/web", [Shop, Cache, Deploy, Role, Token], [new("r", "space/Deployment/web", "space/web", ["space/role", "space/deploy"])]);
        Assert.Equal(["role:0", "deploy:0", "cache:1", "shop:1"], plan.Reached.Select(secret => $"{secret.Name}:{secret.Wave}"));
    }

    [Fact]
    public void A_folder_reaches_everything_below_it_and_another_region_is_another_Vault()
    {
        var elsewhere = Shop with { Region = "s" };
        Assert.Equal(["r", "s"], BlastRadius.Of("/platform/shop/pending", null, [Shop, elsewhere, Role], []).Reached.Select(secret => secret.Region));
        Assert.Equal(["role", "shop"], BlastRadius.Of("platform", null, [Shop, Role, Deploy], []).Reached.Select(secret => secret.Name));
        Assert.DoesNotContain(elsewhere.Region, BlastRadius.Of("platform/role", null, [Shop, elsewhere, Role], []).Reached.Select(secret => secret.Region));
        Assert.Empty(BlastRadius.Of("platform/sho", null, [Shop], []).Reached);
    }

    [Fact]
    public void What_nobody_knows_is_said_with_what_is_known()
    {
        Assert.Contains("Known: platform/shop.", BlastRadius.Of("elsewhere", null, [Shop], Uses).Problem, StringComparison.Ordinal);
        Assert.Contains("Known: shop, shop_clone, space/jobs, space/web.", BlastRadius.Of(null, "nobody", [Shop], Uses).Problem, StringComparison.Ordinal);
    }

    /// <summary>Whatever is in the catalog: it ends, nothing is named twice, and what opens a secret is in an earlier wave or was reached through it.</summary>
    [Fact]
    public void Every_secret_is_rotated_once_and_after_what_lets_read_it()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var secrets = Enumerable.Range(0, random.Next(1, 12)).Select(number => Secret(
                $"s{number}", (RotationKind)random.Next(9), $"{(char)('a' + random.Next(3))}/{number}", [$"u{number}"], [.. "abc".Where(_ => random.Next(2) == 0).Select(folder => $"{folder}")], random.Next(4) == 0)).ToList();
            var plan = BlastRadius.Of(secrets[0].Path, null, secrets, []);
            Assert.Equal(plan.Reached.Count, plan.Reached.Select(secret => secret.Name).Distinct().Count());
            Assert.Contains(plan.Reached, secret => secret.Name == "s0");
            Assert.All(plan.Reached.Where(secret => secret.Opens == 0), secret => Assert.True(
                secret.Wave == plan.Reached.Max(other => other.Wave) || secret.Wave == 0, $"seed {seed}"));
            Assert.Equal(plan.Reached.Select(secret => secret.Wave), plan.Reached.Select(secret => secret.Wave).Order());
        }
    }

    private static RotatableSecret Secret(string name, RotationKind kind, string path, string[] identities, string[]? reads = null, bool everything = false) =>
        new("r", name, kind, path, [$"space/{name}"], identities, everything ? null : reads ?? [], false);
}

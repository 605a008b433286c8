using PlatformOps.Platform.Secrets;

namespace PlatformOps.Platform.Tests.Catalog;

/// <summary>What a component may say of the secrets that are rotated.</summary>
public sealed class RotationDefinitionTests
{
    private const string Gate = "health: [ {postgresql: {service: postgresql} } ]";

    [Fact]
    public void Is_read_with_its_defaults()
    {
        var result = SmallCatalog.Read(new() { ["db"] = $"name: db\n{Gate}\nrotations: [ {{name: shop, kind: postgresql-users, path: platform/shop, secret: credentials, usernameKey: username}} ]" });
        Assert.Empty(result.Problems);
        var rotation = Assert.Single(result.Catalog!.Find("db")!.Rotations);
        Assert.Equal(
            ("shop", RotationKind.PostgresqlUsers, "platform/shop", "credentials", "security", "username", "password", 32, TimeSpan.FromDays(30), TimeSpan.FromMinutes(10)),
            (rotation.Name, rotation.Kind, rotation.Path, rotation.Secret, rotation.Namespace, rotation.UsernameKey, rotation.PasswordKey, rotation.Length, rotation.Every, rotation.Settle));
    }

    [Theory]
    [InlineData("{name: shop, kind: postgresql-users, path: a, secret: s}", Gate, "is missing: two users take turns")]
    [InlineData("{name: shop, kind: postgresql-users, path: a, secret: s, usernameKey: u}", "health: []", "has no gate postgresql")]
    [InlineData("{name: shop, kind: value, path: a, secret: s, usernameKey: u}", "health: []", "is only for logins")]
    [InlineData("{name: shop, kind: value, path: a, secret: s, noConsumers: In a safe., readBy: [Deployment/web]}", "health: []", "says that nobody uses it, and readBy names who does")]
    [InlineData("{name: shop, kind: value, path: a, secret: s, servers: [StatefulSet/db]}", "health: []", "is only for users of PostgreSQL, Elasticsearch and Redis")]
    [InlineData("{name: shop, kind: value, path: a, secret: s, provedBy: snapshot-repositories}", "health: []", "is only for access keys of IAM")]
    [InlineData("{name: shop, kind: value, path: a, secret: s, noConsumers: \"${why}\"}", "health: []", "${why} is not a parameter of db")]
    [InlineData("{name: shop, kind: elasticsearch-users, path: a, secret: s, usernameKey: u}", "health: []", "has no gate elasticsearch")]
    [InlineData("{name: shop, kind: redis-users, path: a, secret: s}", "health: []", "redis-users needs it")]
    [InlineData("{name: shop, kind: value, path: a, secret: s, iamUser: x}", "health: []", "is not for the kind value")]
    [InlineData("{name: shop, kind: service-token, path: a, secret: s, api: {service: gitlab, test: {get: me}}}", "health: []", "is missing: it says how that is done")]
    [InlineData("{name: shop, kind: service-token, path: a, secret: s, api: {service: gitlab, test: {get: me, post: me}, create: {post: x, id: id, value: v}, revoke: {delete: x}}}", "health: []", "exactly one of get, post")]
    [InlineData("{name: shop, kind: service-token, path: a, secret: s, api: {service: gitlab, test: {get: me}, create: {post: x, id: id}, revoke: {delete: x}}}", "health: []", "needs id and value")]
    [InlineData("{name: shop, kind: service-password, path: a, secret: s, usernameKey: u, api: {service: grafana, test: {get: me}, create: {post: x}, set: {put: x}}}", "health: []", "is not for this kind")]
    [InlineData("{name: shop, kind: value, path: /a, secret: s}", "health: []", "a path such as platform/postgresql")]
    [InlineData("{name: shop, kind: value, path: a, secret: s, every: 1m}", "health: []", "every")]
    [InlineData("{name: shop, kind: value, path: a, secret: s, reloads: [web]}", "health: []", "Kind/name such as Deployment/api")]
    [InlineData("{name: shop, kind: value, path: a, secret: s, when: a = b}", "health: []", "is no condition")]
    [InlineData("{name: shop, kind: iam-access-keys, path: a, secret: s, usernameKey: u, iamUser: '${region}-${somebody}'}", "health: []", "${somebody} is not a parameter of db")]
    [InlineData("{name: shop, kind: value, path: a, secret: s}, {name: shop, kind: value, path: b, secret: s}", "health: []", "names are unique in the catalog")]
    [InlineData("{name: shop, kind: value, path: a, secret: s}, {name: other, kind: value, path: a/pending, secret: s}", "health: []", "give each its own path")]
    public void Says_what_is_wrong_with_it(string rotations, string health, string expected)
    {
        var result = SmallCatalog.Read(new() { ["db"] = $"name: db\n{health}\nrotations: [ {rotations} ]" });
        Assert.Contains(result.Problems, problem => $"{problem}".Contains(expected, StringComparison.Ordinal));
    }
}

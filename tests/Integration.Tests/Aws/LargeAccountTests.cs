using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Declared;
using PlatformOps.Adapters.Aws.Dns;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Integration.Tests.Aws;

/// <summary>An account with more zones and buckets than anybody should read through: the environment looks where its objects can be.</summary>
public sealed class LargeAccountTests : IAsyncLifetime
{
    private const string Region = "us-east-1", Named = "named.example.com";

    private static readonly Dictionary<string, string> Labels = new()
    {
        [Ownership.ManagedByLabel] = Ownership.ManagedBy,
        [Ownership.PlatformLabel] = "shop",
        [Ownership.EnvironmentLabel] = "live",
    };

    private readonly SandboxAws aws = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => aws.InitializeAsync();

    public ValueTask DisposeAsync() => aws.DisposeAsync();

    [Fact]
    public async Task Of_many_zones_those_are_looked_into_that_the_environment_names()
    {
        using var connection = aws.Connect();
        var objects = Objects(connection);
        var zones = new HostedZones(connection);
        foreach (var zone in new[] { Named, "former.example.com", "wanted.example.com" })
        {
            await zones.EnsureAsync(zone, Names.Stranger, "op-0", Ct);
            await objects.CreateAsync(Record(zone), Ct);
        }

        Assert.Equal(["former", "named", "wanted"], await RecordsAsync(objects));
        for (var number = 0; number < 20; number++)
            await zones.EnsureAsync(string.Create(CultureInfo.InvariantCulture, $"other-{number}.example.com"), Names.Stranger, "op-0", Ct);

        Assert.Equal(["named"], await RecordsAsync(objects));
        Assert.Equal(["named", "wanted"], await RecordsAsync(objects, Record("wanted.example.com")));
        var live = Assert.Single(await objects.ObserveAsync([Kind("DnsRecord")], Labels, [], Ct));
        Assert.True(await objects.DeleteAsync(live, Ct));
        Assert.Null(await objects.WaitUntilGoneAsync(live, TimeSpan.FromMinutes(2), () => { }, Ct));
    }

    [Fact]
    public async Task Of_many_buckets_the_tags_of_those_are_read_whose_names_begin_as_the_environments_do()
    {
        using var connection = aws.Connect();
        var objects = Objects(connection);
        foreach (var name in new[] { "shop-live-backups", "archive" })
            await objects.CreateAsync(Wanted("Bucket", name, []), Ct);
        Assert.Equal(["archive", "shop-live-backups"], await BucketsAsync(objects));
        for (var number = 0; number < 50; number++)
            await new Buckets(connection).EnsureAsync(new() { Name = string.Create(CultureInfo.InvariantCulture, $"other-{number}") }, Names.Stranger, "op-0", Ct);

        Assert.Equal(["shop-live-backups"], await BucketsAsync(objects));
        Assert.Equal(["archive", "shop-live-backups"], await BucketsAsync(objects, Wanted("Bucket", "archive", [])));
    }

    private static AwsObjects Objects(AwsConnection connection) => new(
        Region, Labels, new HashSet<string> { Named }, _ => connection, (_, _, _) => Task.FromResult<IReadOnlyDictionary<string, SecretText>?>(null));

    private static async Task<IEnumerable<string>> RecordsAsync(AwsObjects objects, params DesiredObject[] wanted) =>
        (await objects.ObserveAsync([Kind("DnsRecord")], Labels, wanted, Ct)).Select(found => found.Address.Name).Order(StringComparer.Ordinal);

    private static async Task<IEnumerable<string>> BucketsAsync(AwsObjects objects, params DesiredObject[] wanted) =>
        (await objects.ObserveAsync([Kind("Bucket")], Labels, wanted, Ct)).Select(found => found.Address.Name).Order(StringComparer.Ordinal);

    private static DesiredObject Record(string zone) => Wanted(
        "DnsRecord", zone.Split('.')[0], new() { ["zone"] = zone, ["name"] = $"api.{zone}", ["type"] = "CNAME", ["ttl"] = 60L, ["values"] = new JsonArray("lb.example.net") });

    private static DesiredObject Wanted(string kind, string name, JsonObject spec) => new(new(Region, ResourceAddress.AwsApiVersion, kind, null, name), new()
    {
        ["apiVersion"] = ResourceAddress.AwsApiVersion,
        ["kind"] = kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["labels"] = new JsonObject(Labels.Append(new(Ownership.ComponentLabel, "app")).Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value))),
            ["annotations"] = new JsonObject { [Ownership.OperationIdAnnotation] = "op-1", [Ownership.CreatedByAnnotation] = "op-1" },
        },
        ["spec"] = spec,
    });

    private static ObjectKind Kind(string kind) => new(ResourceAddress.AwsApiVersion, kind);
}

using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Cloudflare;
using PlatformOps.Adapters.External;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Sandbox;
using PlatformOps.Sandbox.External;

namespace PlatformOps.Integration.Tests.External;

public sealed class CloudflareTests : IAsyncLifetime
{
    private static readonly ObjectKind[] Kinds = [new(CloudflareObjects.ApiVersion, "DnsRecord")];
    private static readonly Dictionary<string, string> Labels = new()
    {
        [Ownership.ManagedByLabel] = Ownership.ManagedBy,
        [Ownership.PlatformLabel] = "reference",
        [Ownership.EnvironmentLabel] = "production",
    };

    private readonly string token = Path.GetTempFileName();
    private ExternalStandIn standIn = null!;
    private ExternalServices services = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private CloudflareObjects Objects => services.Cloudflare();

    public async ValueTask InitializeAsync()
    {
        standIn = await ExternalStandIn.StartAsync();
        standIn.AddZone("example.com");
        standIn.AddZone("example.org");
        await File.WriteAllTextAsync(token, standIn.Token);
        services = new(
            new() { Regions = new Dictionary<string, RegionConnection> { ["us-east-1"] = new() { External = new Dictionary<string, ExternalAccess> { ["cloudflare"] = new(standIn.Address("cloudflare").AbsoluteUri, token) } } } },
            "us-east-1");
    }

    public async ValueTask DisposeAsync()
    {
        services.Dispose();
        await standIn.DisposeAsync();
        File.Delete(token);
    }

    [Fact]
    public async Task A_record_is_created_found_by_its_marks_changed_and_deleted_with_its_mark()
    {
        var wanted = Record("api", "origin.example.com", operation: "op-1");
        Assert.Empty(await ObserveAsync(wanted));
        await Objects.CreateAsync(wanted, Ct);

        // As declared, and ours, also for one who does not know what it is called.
        var live = Assert.Single(await ObserveAsync(wanted));
        Assert.Empty(FieldDiff.Compare(wanted.Manifest, live.Manifest));
        Assert.Equal("op-1", (string?)live.Manifest["metadata"]!["annotations"]![Ownership.CreatedByAnnotation]);
        Assert.Equal("api", Assert.Single(await ObserveAsync()).Address.Name);

        var moved = Record("api", "other.example.com", operation: "op-2");
        await Objects.ChangeAsync(moved, live, Ct);
        var after = Assert.Single(await ObserveAsync(moved));
        Assert.Empty(FieldDiff.Compare(moved.Manifest, after.Manifest));
        Assert.Equal((string?)live.Manifest["metadata"]!["uid"], (string?)after.Manifest["metadata"]!["uid"]);

        Assert.True(await Objects.DeleteAsync(after, Ct));
        Assert.False(await Objects.DeleteAsync(after, Ct));
        Assert.Empty(await ObserveAsync(moved));
        await Objects.CreateAsync(wanted, Ct);
    }

    [Fact]
    public async Task A_record_of_somebody_else_is_seen_where_ours_is_wanted_and_not_touched()
    {
        var theirs = Record("theirs", "theirs.example.com", recordName: "api.example.com", labels: []);
        await Objects.CreateAsync(theirs, Ct);
        var wanted = Record("api", "origin.example.com");

        var live = Assert.Single(await ObserveAsync(wanted));
        Assert.NotEqual(Ownership.ManagedBy, (string?)live.Manifest["metadata"]!["labels"]?[Ownership.ManagedByLabel]);
        Assert.Equal(AdapterFailureKind.Exists, (await Assert.ThrowsAsync<AdapterException>(() => Objects.CreateAsync(wanted, Ct))).Kind);
        Assert.Equal(AdapterFailureKind.Moved, (await Assert.ThrowsAsync<AdapterException>(() => Objects.ChangeAsync(wanted, live, Ct))).Kind);
        Assert.False(await Objects.DeleteAsync(live, Ct));
        Assert.Empty(await ObserveAsync());
    }

    [Fact]
    public async Task A_creation_whose_answer_was_lost_is_found_by_the_next_look()
    {
        var wanted = Record("api", "origin.example.com");
        standIn.Inject(new() { Kind = FaultKind.CutAfterEffect, Path = "/batch", Times = 1 });

        Assert.Equal(AdapterFailureKind.Unavailable, (await Assert.ThrowsAsync<AdapterException>(() => Objects.CreateAsync(wanted, Ct))).Kind);

        Assert.Empty(FieldDiff.Compare(wanted.Manifest, Assert.Single(await ObserveAsync(wanted)).Manifest));
        Assert.Equal(AdapterFailureKind.Exists, (await Assert.ThrowsAsync<AdapterException>(() => Objects.CreateAsync(wanted, Ct))).Kind);
    }

    [Fact]
    public async Task What_lists_do_not_show_yet_is_not_created_twice()
    {
        var wanted = Record("api", "origin.example.com");
        standIn.ListLag = TimeSpan.FromHours(1);
        await Objects.CreateAsync(wanted, Ct);
        Assert.Empty(await ObserveAsync(wanted));

        Assert.Equal(AdapterFailureKind.Exists, (await Assert.ThrowsAsync<AdapterException>(() => Objects.CreateAsync(wanted, Ct))).Kind);

        standIn.ListLag = TimeSpan.Zero;
        Assert.Single(await ObserveAsync(wanted));
        Assert.Single(await ObserveAsync());
    }

    [Fact]
    public async Task A_proxy_that_is_no_longer_declared_is_a_change_that_turns_it_off()
    {
        await Objects.CreateAsync(Record("api", "origin.example.com", proxied: true), Ct);
        var wanted = Record("api", "origin.example.com");
        var live = Assert.Single(await ObserveAsync(wanted));

        Assert.Equal("spec.proxied", Assert.Single(FieldDiff.Compare(wanted.Manifest, live.Manifest)).Path);
        await Objects.ChangeAsync(wanted, live, Ct);

        Assert.Empty(FieldDiff.Compare(wanted.Manifest, Assert.Single(await ObserveAsync(wanted)).Manifest));
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_the_field_and_a_refused_token_with_its_file()
    {
        var outside = await Assert.ThrowsAsync<AdapterException>(() => Objects.CreateAsync(Record("api", "x.example.com", recordName: "api.example.net"), Ct));
        Assert.Contains("spec.name", outside.Message, StringComparison.Ordinal);
        var nowhere = Record("api", "x.example.com");
        (nowhere.Manifest["spec"]!["zone"], nowhere.Manifest["spec"]!["name"]) = ("example.net", "api.example.net");
        Assert.Equal(AdapterFailureKind.Missing, (await Assert.ThrowsAsync<AdapterException>(() => Objects.CreateAsync(nowhere, Ct))).Kind);

        await File.WriteAllTextAsync(token, "wrong-token", Ct);
        var refused = await Assert.ThrowsAsync<AdapterException>(() => ObserveAsync());
        Assert.Equal(AdapterFailureKind.Unauthorized, refused.Kind);
        Assert.Contains(token, refused.Message, StringComparison.Ordinal);
    }

    private Task<IReadOnlyList<ObservedObject>> ObserveAsync(params DesiredObject[] wanted) => Objects.ObserveAsync(Kinds, Labels, wanted, Ct);

    private static DesiredObject Record(string name, string content, string? operation = null, bool? proxied = null, Dictionary<string, string>? labels = null, string? recordName = null)
    {
        var spec = new JsonObject { ["zone"] = "example.com", ["name"] = recordName ?? $"{name}.example.com", ["type"] = "CNAME", ["content"] = content };
        if (proxied is not null)
            spec["proxied"] = proxied;
        var metadata = new JsonObject { ["name"] = name, ["labels"] = new JsonObject((labels ?? Labels).Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value))) };
        if (operation is not null)
            metadata["annotations"] = new JsonObject { [Ownership.OperationIdAnnotation] = operation, [Ownership.CreatedByAnnotation] = operation };
        return new(
            new("us-east-1", CloudflareObjects.ApiVersion, "DnsRecord", null, name),
            new() { ["apiVersion"] = CloudflareObjects.ApiVersion, ["kind"] = "DnsRecord", ["metadata"] = metadata, ["spec"] = spec });
    }
}

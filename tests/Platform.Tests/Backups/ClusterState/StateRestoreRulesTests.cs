using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Tests.Backups.ClusterState;

/// <summary>What a restore into a cluster in use never brings back, and what of it people read.</summary>
public sealed class StateRestoreRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, 500, TimeSpan.Zero);

    private static readonly StateRestoreRules Fenced = new() { Fenced = true, Overwrite = true, Epoch = 7, Since = Now };

    [Theory]
    [InlineData("""{"labels": {"reconcile.external-secrets.io/managed": "true"} }""", "Opaque", "External Secrets writes it")]
    [InlineData("""{"annotations": {"reconcile.external-secrets.io/data-hash": "1"} }""", "Opaque", "External Secrets writes it")]
    [InlineData("""{"labels": {"app.kubernetes.io/managed-by": "hashicorp-vso"} }""", "Opaque", "the Vault Secrets Operator writes it")]
    [InlineData("""{"labels": {"secrets-store.csi.k8s.io/managed": "true"} }""", "Opaque", "the Secrets Store CSI driver writes it")]
    [InlineData("{}", "kubernetes.io/service-account-token", "tokens are not restored")]
    [InlineData("{}", "Opaque", null)]
    public void Secrets_that_somebody_else_writes_and_tokens_are_left(string metadata, string type, string? why)
    {
        var secret = Object("Secret", metadata, $$"""{"type": "{{type}}", "data": {"password": "aHVzaA=="} }""");
        var decision = RestoreDecision.Of(Address("Secret"), secret, null, Fenced);
        Assert.Equal(why is null ? RestoreAction.Create : RestoreAction.Leave, decision.Action);
        if (why is not null)
            Assert.Contains(why, decision.Reason, StringComparison.Ordinal);
        // A proof in quarantine misses nothing.
        Assert.Equal(RestoreAction.Create, RestoreDecision.Of(Address("Secret"), secret, null, StateRestoreRules.Quarantine).Action);
    }

    [Fact]
    public void A_Secret_that_is_there_keeps_the_value_of_today_whoever_asks()
    {
        var decision = RestoreDecision.Of(Address("Secret"), Object("Secret", "{}", """{"data": {"password": "b2xk"} }"""), Object("Secret", "{}", """{"data": {"password": "bmV3"} }"""), Fenced);
        Assert.Equal((RestoreAction.Keep, true), (decision.Action, decision.Reason.Contains("may have been revoked", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(7L, null, 7L, RestoreAction.Create)]
    [InlineData(6L, null, 7L, RestoreAction.Leave)]
    [InlineData(7L, null, null, RestoreAction.Leave)]
    [InlineData(null, null, null, RestoreAction.Create)]
    [InlineData(6L, 7L, 7L, RestoreAction.Keep)]
    [InlineData(null, 7L, 7L, RestoreAction.Keep)]
    [InlineData(7L, 6L, 7L, RestoreAction.Overwrite)]
    [InlineData(7L, 7L, 7L, RestoreAction.Overwrite)]
    [InlineData(6L, 0L, 7L, RestoreAction.Keep)]
    [InlineData(null, 0L, null, RestoreAction.Overwrite)]
    public void An_old_epoch_never_takes_the_place_of_a_newer_one(long? archived, long? live, long? today, RestoreAction expected)
    {
        JsonObject? there = live switch { null => null, 0 => Endpoints(null, "192.0.2.2"), _ => Endpoints(live, "192.0.2.2") };
        Assert.Equal(expected, RestoreDecision.Of(Address("Endpoints"), Endpoints(archived, "192.0.2.1"), there, Fenced with { Epoch = today }).Action);
    }

    [Fact]
    public void What_every_cluster_makes_is_written_over_unasked_only_when_it_came_after_the_restore_had_begun()
    {
        var archived = Parse("""{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "shop"}, "imagePullSecrets": [{"name": "registry"}]}""");
        Assert.Equal(RestoreAction.Keep, Of("2026-03-01T11:59:59Z"));
        Assert.Equal(RestoreAction.Overwrite, Of("2026-03-01T12:00:00Z"));

        RestoreAction Of(string created) => RestoreDecision.Of(
            Address("ServiceAccount") with { Name = "default" }, archived,
            Parse($$"""{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "shop", "creationTimestamp": "{{created}}"} }"""), Fenced with { Overwrite = false }).Action;
    }

    [Fact]
    public void Namespaces_cover_themselves_and_what_is_in_them()
    {
        var rules = Fenced with { Namespaces = ["shop"] };
        Assert.True(rules.Covers(Address("Secret")));
        Assert.True(rules.Covers(new("us-east-1", "v1", "Namespace", null, "shop")));
        Assert.False(rules.Covers(Address("Secret") with { Namespace = "billing" }));
        Assert.False(rules.Covers(new("us-east-1", "rbac.authorization.k8s.io/v1", "ClusterRole", null, "shop")));
        Assert.True(Fenced.Covers(new("us-east-1", "rbac.authorization.k8s.io/v1", "ClusterRole", null, "shop")));
    }

    [Fact]
    public void A_plan_names_what_is_replaced_and_what_comes_back_from_the_past_and_its_hash_is_of_what_is_done()
    {
        var tally = new StateTally();
        tally.Add("configmaps", Address("ConfigMap") with { Name = "a" }, new(RestoreAction.Create, "", []), "", false);
        tally.Add("configmaps", Address("ConfigMap") with { Name = "b" }, RestoreDecision.Of(Address("ConfigMap"), Object("ConfigMap", "{}", """{"data": {"x": "hush-old"} }"""), Object("ConfigMap", "{}", """{"data": {"x": "hush-new"} }"""), Fenced), "w1", false);
        tally.Add("secrets", Address("Secret"), new(RestoreAction.Create, "", []), "", false);
        tally.Add("rolebindings", Address("RoleBinding"), new(RestoreAction.Create, "", []), "", false);
        var plan = tally.Plan(About).Plan!;

        Assert.Equal((3, 1, false), (plan.Count(kind => kind.Create), plan.Overwrites.Count, plan.IsEmpty));
        Assert.Equal("data.x", plan.Overwrites[0].Fields);
        Assert.Equal(2, plan.Notes.Count);
        Assert.Contains("1 Secrets come back with the values of", plan.Notes[0], StringComparison.Ordinal);
        Assert.Contains("whoever was taken out of them since is in them again. shop/thing.", plan.Notes[1], StringComparison.Ordinal);
        Assert.DoesNotContain("hush", System.Text.Json.JsonSerializer.Serialize(plan), StringComparison.Ordinal);
        Assert.Equal(plan.Hash, (plan with { Notes = [], Kept = ["other"], Why = "other" }).Hash);
        Assert.All(
            new[] { plan with { Set = "two" }, plan with { Created = "x" }, plan with { Epoch = 8 }, plan with { Archive = "x" }, plan with { Overwrites = [plan.Overwrites[0] with { Was = "w2" }] } },
            other => Assert.NotEqual(plan.Hash, other.Hash));
    }

    [Fact]
    public void More_overwriting_than_anybody_reads_is_refused()
    {
        var tally = new StateTally();
        for (var number = 0; number <= StateTally.MostOverwrites; number++)
            tally.Add("configmaps", Address("ConfigMap") with { Name = number.ToString(CultureInfo.InvariantCulture) }, new(RestoreAction.Overwrite, "", []), "", false);
        Assert.StartsWith("151 objects would be overwritten, more than anybody reads", tally.Plan(About).Refusal, StringComparison.Ordinal);
    }

    private static readonly StateRestorePlan About = new()
    {
        Environment = "production",
        Store = "state",
        Region = "us-east-1",
        Set = "one",
        Label = "one",
        At = Now,
        Why = "It was asked for.",
        Namespaces = [],
        Epoch = 7,
        Kinds = [],
        Overwrites = [],
        Kept = [],
        Left = [],
        Notes = [],
        Created = "",
        Archive = "a",
    };

    private static ResourceAddress Address(string kind) => new("us-east-1", "v1", kind, "shop", "thing");

    private static JsonObject Endpoints(long? epoch, string address) => Object(
        "Endpoints", epoch is null ? "{}" : $$"""{"annotations": {"platformops.io/epoch": "{{epoch}}"} }""", $$"""{"subsets": [{"addresses": [{"ip": "{{address}}"}]}]}""");

    private static JsonObject Object(string kind, string metadata, string rest)
    {
        var made = Parse(rest);
        (made["apiVersion"], made["kind"], made["metadata"]) = ("v1", kind, Parse(metadata));
        (made["metadata"]!["name"], made["metadata"]!["namespace"]) = ("thing", "shop");
        return made;
    }

    private static JsonObject Parse(string text) => JsonNode.Parse(text)!.AsObject();
}

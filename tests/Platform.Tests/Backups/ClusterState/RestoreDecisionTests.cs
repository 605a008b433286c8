using System.Text.Json.Nodes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Tests.Backups.ClusterState;

/// <summary>What a restore does with what is there, and how it says what differs.</summary>
public sealed class RestoreDecisionTests
{
    private static readonly ResourceAddress Address = new("us-east-1", "v1", "ConfigMap", "shop", "settings");

    [Fact]
    public void What_is_missing_is_created_what_is_equal_left_and_what_differs_kept_until_somebody_asks()
    {
        var (archived, other) = (ConfigMap("EUR"), ConfigMap("USD"));

        Assert.Equal(RestoreAction.Create, RestoreDecision.Of(Address, archived, null, StateRestoreRules.Quarantine).Action);
        Assert.Equal(RestoreAction.None, RestoreDecision.Of(Address, archived, ConfigMap("EUR"), new() { Overwrite = true }).Action);
        var kept = RestoreDecision.Of(Address, archived, other, StateRestoreRules.Quarantine);
        Assert.Equal(RestoreAction.Keep, kept.Action);
        Assert.Contains("data.currency is USD instead of EUR", Assert.Single(kept.Differences).Reason, StringComparison.Ordinal);
        Assert.Equal(RestoreAction.Overwrite, RestoreDecision.Of(Address, archived, other, new() { Overwrite = true }).Action);
    }

    [Fact]
    public void What_every_new_cluster_makes_of_the_same_name_is_written_over()
    {
        var archived = Parse("""{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "shop"}, "imagePullSecrets": [{"name": "registry"}]}""");
        var made = Parse("""{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "shop", "uid": "1"}}""");

        Assert.Equal(RestoreAction.Overwrite, RestoreDecision.Of(Address with { Kind = "ServiceAccount", Name = "default" }, archived, made, StateRestoreRules.Quarantine).Action);
        var changed = Parse("""{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "shop", "annotations": {"somebody": "was here"}}}""");
        Assert.Equal(RestoreAction.Keep, RestoreDecision.Of(Address with { Kind = "ServiceAccount", Name = "default" }, archived, changed, StateRestoreRules.Quarantine).Action);
    }

    [Fact]
    public void Values_of_secrets_are_compared_and_never_shown()
    {
        var address = Address with { Kind = "Secret", Name = "login" };
        var archived = Secret("aHVzaC1vbmU=", "hush-one");
        var findings = StateComparison.Compare(address, archived, Secret("aHVzaC10d28=", "hush-two"));

        Assert.Equal(["us-east-1 Secret shop/login: data.password is another one (values of Secrets are not shown)."], findings.Select(finding => finding.Reason));
        Assert.DoesNotContain(findings, finding => $"{finding}".Contains("hush", StringComparison.Ordinal) || $"{finding}".Contains("aHVza", StringComparison.Ordinal));
        Assert.Empty(StateComparison.Compare(address, archived, Secret("aHVzaC1vbmU=", "hush-one")));
        var without = Secret("aHVzaC1vbmU=", "hush-one");
        without["data"]!.AsObject().Clear();
        Assert.Equal("data.password", Assert.Single(StateComparison.Compare(address, archived, without)).Path);
    }

    [Fact]
    public void What_only_the_cluster_has_differs_too()
    {
        var more = ConfigMap("EUR");
        more["data"]!["tax"] = "7";

        Assert.Equal("us-east-1 ConfigMap shop/settings: data.tax is 7 instead of absent.", Assert.Single(StateComparison.Compare(Address, ConfigMap("EUR"), more)).Reason);
    }

    private static JsonObject ConfigMap(string currency) =>
        Parse($$"""{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop", "uid": "{{currency}}", "resourceVersion": "{{currency.GetHashCode(StringComparison.Ordinal)}}"}, "data": {"currency": "{{currency}}"} }""");

    private static JsonObject Secret(string data, string plain) => Parse($$"""
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "shop", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{{plain}}"} }, "data": {"password": "{{data}}"} }
        """);

    private static JsonObject Parse(string text) => JsonNode.Parse(text)!.AsObject();
}

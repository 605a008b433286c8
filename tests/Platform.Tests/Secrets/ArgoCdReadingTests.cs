using System.Text.Json.Nodes;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Platform.Tests.Secrets;

/// <summary>When an Application proves that Argo CD works with what a Secret holds.</summary>
public sealed class ArgoCdReadingTests
{
    [Theory]
    [InlineData(null, "", "t1", "", ConsumerStanding.Old)]
    [InlineData("1 t0", "", "t1", "", ConsumerStanding.Old)]
    [InlineData("2 t1", "hard", "t1", "", ConsumerStanding.Changing)]
    // Compared meanwhile, and not because it was asked.
    [InlineData("2 t1", "hard", "t2", "", ConsumerStanding.Changing)]
    // Whoever took the request away has not compared.
    [InlineData("2 t1", "", "t1", "", ConsumerStanding.Old)]
    [InlineData("2 t1", "", "t2", "", ConsumerStanding.Current)]
    [InlineData("2 t1", "", "t2", "SyncError", ConsumerStanding.Current)]
    [InlineData("2 t1", "", "t2", "ComparisonError", ConsumerStanding.Failed)]
    [InlineData("2 t1", "", "t2", "InvalidSpecError", ConsumerStanding.Failed)]
    [InlineData("2 never", "", "t1", "", ConsumerStanding.Current)]
    public void Only_a_comparison_that_was_asked_for_this_version_and_went_well_counts(string? mark, string refresh, string reconciledAt, string condition, ConsumerStanding expected)
    {
        var application = new JsonObject
        {
            ["metadata"] = new JsonObject { ["annotations"] = refresh.Length == 0 ? [] : new JsonObject { [ArgoCdReading.Refresh] = refresh } },
            ["status"] = new JsonObject { ["reconciledAt"] = reconciledAt, ["conditions"] = condition.Length == 0 ? [] : new JsonArray(new JsonObject { ["type"] = condition, ["message"] = "why" }) },
        };
        Assert.Equal(expected, ArgoCdReading.Judge(application, mark, 2).Standing);
    }

    [Theory]
    [InlineData("repository", "https://git.example.com/a.git", """{"source":{"repoURL":"https://git.example.com/A"}}""", true)]
    [InlineData("repository", "https://git.example.com/a", """{"source":{"repoURL":"https://git.example.com/ab"}}""", false)]
    [InlineData("repository", "https://git.example.com/b", """{"sources":[{"repoURL":"https://git.example.com/a"},{"repoURL":"https://git.example.com/b.git"}]}""", true)]
    [InlineData("repository", "https://git.example.com/a", """{"sourceHydrator":{"drySource":{"repoURL":"https://git.example.com/a"}}}""", true)]
    [InlineData("repo-creds", "https://git.example.com/", """{"source":{"repoURL":"https://git.example.com/a"}}""", true)]
    [InlineData("repo-creds", "https://git.example.org/", """{"source":{"repoURL":"https://git.example.com/a"}}""", false)]
    [InlineData("cluster", "https://west", """{"source":{"repoURL":"https://west"},"destination":{"server":"https://east"}}""", false)]
    [InlineData("cluster", "https://west", """{"destination":{"server":"https://west"}}""", true)]
    [InlineData("cluster", "https://west", """{"destination":{"name":"west"}}""", true)]
    public void Applications_are_served_with_what_their_sources_or_their_destination_names(string type, string url, string spec, bool expected) =>
        Assert.Equal(expected, ArgoCdReading.Serves(type, url, "west", new JsonObject { ["spec"] = JsonNode.Parse(spec) }));

    [Fact]
    public void Applications_are_asked_together_and_after_every_restart()
    {
        SecretConsumer Consumer(string name, ConsumerStanding standing, bool asked) => new(name, true, standing, "") { Asked = asked };
        ObservedSecret Seen(params SecretConsumer[] consumers) => new(
            null, new("r", "b", 2, CredentialStanding.Accepted), new("", "a", 1, CredentialStanding.Unknown), null, true, consumers, null, DateTimeOffset.UnixEpoch, Restorable: false);
        RotationDecision Decide(bool hold, params SecretConsumer[] consumers) => RotationPolicy.Decide(Seen(consumers), new("r", TimeSpan.Zero, DateTimeOffset.UnixEpoch, [], hold));
        SecretConsumer Application(string name, ConsumerStanding standing) => Consumer($"Application/{name}", standing, asked: true);
        var controller = Consumer("StatefulSet/c", ConsumerStanding.Old, asked: false);

        Assert.Equal(["StatefulSet/c"], Decide(false, Application("a", ConsumerStanding.Old), controller).Consumers);
        var asked = Decide(false, Application("a", ConsumerStanding.Old), Application("b", ConsumerStanding.Old), controller with { Standing = ConsumerStanding.Current });
        Assert.Equal((RotationStep.Refresh, "Application/a Application/b"), (asked.Step, string.Join(' ', asked.Consumers)));
        // Nobody is restarted for them, so that they are not left to whoever restarts.
        Assert.Equal(RotationStep.Refresh, Decide(true, Application("a", ConsumerStanding.Old)).Step);
        Assert.Equal(RotationStep.Wait, Decide(false, Application("a", ConsumerStanding.Unknown)).Step);
        var stopped = Decide(false, Application("a", ConsumerStanding.Failed));
        Assert.Equal((RotationStep.Stop, RotationStep.Refresh), (stopped.Step, stopped.OnRetry));
        Assert.Equal(RotationStep.Revoke, Decide(false, Application("a", ConsumerStanding.Current)).Step);
    }
}

using PlatformOps.Platform.Alerts;

namespace PlatformOps.Platform.Tests.Alerts;

public class AlertConfigurationTests
{
    private const string Smallest = """
        apiVersion: platformops.io/v1
        kind: Alerts
        alertmanager: {tokenFile: token}
        environments: [production]
        routes:
          - name: database
            matchers: ['alertname=~"PostgreSQL.*"']
            runbook: RegionFailover
        """;

    [Fact]
    public void The_smallest_one_takes_the_defaults()
    {
        var read = AlertConfigurationReader.Read("alerts.yaml", Smallest).Configuration!;
        Assert.Equal(("127.0.0.1:9095", 1024 * 1024, 50, TimeSpan.FromMinutes(1)), (read.Listen, read.BodyBytes, read.RequestsPerSecond, read.RepeatAfter));
        Assert.Equal("environment", Assert.Single(read.Routes).EnvironmentLabel);
        Assert.Null(read.CloudEvents);
    }

    [Fact]
    public void The_example_can_be_used() =>
        Assert.Empty(AlertConfigurationReader.Read("alerts.yaml", File.ReadAllText(Path.Combine(Repository.Root, "examples", "alerts", "alerts.yaml"))).Problems);

    [Theory]
    [InlineData("alertmanager: {tokenFile: token}", "alertmanager: {}", "alertmanager: either tokenFile or hmacKeyFile")]
    [InlineData("alertmanager: {tokenFile: token}", "alertmanager: {tokenFile: a, hmacKeyFile: b}", "alertmanager: either tokenFile or hmacKeyFile")]
    [InlineData("alertmanager: {tokenFile: token}", "listen: 127.0.0.1:0", "nobody is listened to")]
    [InlineData("kind: Alerts", "kind: Alerts\nlisten: 0.0.0.0:9095", "listen: 0.0.0.0:9095 can be reached by others")]
    [InlineData("kind: Alerts", "kind: Alerts\nlisten: localhost", "listen: 'localhost' is not an IP address with a port")]
    [InlineData("kind: Alerts", "kind: Alerts\nsns: {topics: [mine]}", "sns.topics[0]: 'mine' is not the ARN of an SNS topic")]
    [InlineData("kind: Alerts", "kind: Alerts\nlimits: {bodyBytes: 1}", "limits.bodyBytes: 1 is outside 1024..16777216")]
    [InlineData("runbook: RegionFailover", "runbook: RegionFailOver", "routes[0].runbook: 'RegionFailOver' is not possible")]
    [InlineData("runbook: RegionFailover", "runbook: RegionFailover\n    environment: prod", "routes[0].environment: 'prod' is not one of environments")]
    [InlineData("['alertname=~\"PostgreSQL.*\"']", "[]", "routes[0].matchers: has no condition")]
    [InlineData("['alertname=~\"PostgreSQL.*\"']", "['alertname']", "routes[0].matchers[0]: 'alertname' is not a matcher")]
    public void Names_the_field_that_is_wrong(string right, string wrong, string problem)
    {
        var read = AlertConfigurationReader.Read("alerts.yaml", Smallest.Replace(right, wrong, StringComparison.Ordinal));
        Assert.Null(read.Configuration);
        Assert.Contains(problem, string.Join('\n', read.Problems), StringComparison.Ordinal);
    }
}

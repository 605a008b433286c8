using PlatformOps.Platform.Alerts;

namespace PlatformOps.Platform.Tests.Alerts;

public class AlertRoutingTests
{
    private static readonly string[] Environments = ["production", "staging"];

    private static readonly AlertRoute Database = Route("database", "environment", null, "alertname=~\"PostgreSQL.*\"", "severity!=\"info\"");
    private static readonly AlertRoute Staging = Route("staging", "environment", "staging", "cluster=\"st\\\"1\"");

    public static TheoryData<string, string, bool> Matchers() => new()
    {
        { "a=\"x\"", "x", true },
        { "a=\"x\"", "xx", false },
        { "a!=\"x\"", "y", true },
        { "a!=\"x\"", "x", false },
        { "a=~\"x|y\"", "y", true },
        { "a=~\"x|y\"", "xy", false },
        { "a=~\"x.*\"", "xyz", true },
        { "a!~\"x.*\"", "xyz", false },
        { "a!~\"x.*\"", "z", true },
        { "a=\"\"", "", true },
        { "a=~\"1\\.2\"", "1.2", true },
        { "a=~\"1\\.2\"", "1x2", false },
        { " a = \"quo\\\"te\" ", "quo\"te", true },
    };

    [Theory]
    [MemberData(nameof(Matchers))]
    public void Matches_as_Alertmanager_does(string matcher, string value, bool matches) =>
        Assert.Equal(matches, AlertMatcher.Parse(matcher, out _)!.Matches(new Dictionary<string, string> { ["a"] = value }));

    [Fact]
    public void A_label_that_is_missing_is_empty() => Assert.True(AlertMatcher.Parse("b!=\"x\"", out _)!.Matches(new Dictionary<string, string>()));

    [Theory]
    [InlineData("severity=critical")]
    [InlineData("=\"x\"")]
    [InlineData("a==\"x\"")]
    [InlineData("a=~\"(\"")]
    [InlineData("a=~\"(x)\\1\"")]
    public void Says_what_is_wrong_with_a_matcher(string text)
    {
        Assert.Null(AlertMatcher.Parse(text, out var problem));
        Assert.NotNull(problem);
    }

    [Fact]
    public void The_first_route_that_matches_decides() => Assert.Equal(
        new AlertDestination.Run("database", "production", "RegionFailover"),
        AlertRouting.Route(Alert(("alertname", "PostgreSQLPrimaryDown"), ("environment", "production"), ("cluster", "st\"1")), [Database, Staging], Environments));

    [Fact]
    public void A_route_may_state_the_environment_itself() => Assert.Equal(
        new AlertDestination.Run("staging", "staging", "RegionFailover"),
        AlertRouting.Route(Alert(("alertname", "Other"), ("environment", "production"), ("cluster", "st\"1")), [Database, Staging], Environments));

    [Theory]
    [InlineData("Other", "production", "No route matches alert Other (environment=production)")]
    [InlineData("PostgreSQLDown", "", "takes the environment from the label environment")]
    [InlineData("PostgreSQLDown", "prodution", "There is no environment prodution")]
    public void What_nobody_takes_is_said_with_the_next_step(string name, string environment, string reason)
    {
        var labels = new List<(string, string)> { ("alertname", name) };
        if (environment.Length > 0)
            labels.Add(("environment", environment));
        var nowhere = Assert.IsType<AlertDestination.Nowhere>(AlertRouting.Route(Alert([.. labels]), [Database, Staging], Environments));
        Assert.Contains(reason, nowhere.Reason, StringComparison.Ordinal);
        Assert.Matches("(add|stop|state|correct)", nowhere.Reason);
    }

    private static AlertRoute Route(string name, string label, string? environment, params string[] matchers) =>
        new(name, [.. matchers.Select(text => AlertMatcher.Parse(text, out _)!)], environment, label, "RegionFailover");

    private static Alert Alert(params (string Label, string Value)[] labels) => new()
    {
        Key = "k",
        Name = labels.First(label => label.Label == "alertname").Value,
        Status = AlertStatus.Firing,
        Labels = labels.ToDictionary(label => label.Label, label => label.Value),
        Source = "alertmanager",
    };
}

using System.Text.RegularExpressions;
using PlatformOps.Integration.Tests.Deployment;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Tests.Catalog;

namespace PlatformOps.Platform.Tests.Deployment;

/// <summary>Signals and alert rules about other programs ask for metrics that those have: the names were looked up in their sources, once, and stand in <c>known-metrics.txt</c>. What workers of ours leave is compared with live ones elsewhere.</summary>
public sealed partial class KnownMetricsTests
{
    private static IReadOnlyList<string> Known { get; } =
        [.. File.ReadLines(Path.Combine(Repository.Root, "tests/Platform.Tests/Deployment/known-metrics.txt")).Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' ')[0])];

    [Fact]
    public void Every_metric_of_a_signal_or_rule_is_one_that_was_looked_up_and_none_is_left_over()
    {
        var asked = Signals().Concat(Rules()).SelectMany(expression => MetricNames.In(expression).Select(metric => (Metric: metric, Expression: expression))).ToList();

        Assert.Empty(asked.Where(metric => !Known.Contains(metric.Metric)).Select(metric => $"{metric.Metric} in: {metric.Expression}"));
        Assert.Empty(Known.Except(asked.Select(metric => metric.Metric)));
    }

    /// <summary>Temporal's server writes <c>orders_go</c> where the queue is <c>orders-go</c>, its SDK for Go may do either.</summary>
    [Fact]
    public void A_signal_finds_a_queue_whose_name_has_other_characters_than_letters_and_digits()
    {
        var environment = CommittedCatalog.Environment("production");
        var how = DeclaredScaling.Of(environment, CommittedCatalog.Catalog.Find("business-workers-go")!, environment.PrimaryRegion)!;

        Assert.Equal("orders-go", how.Tasks!.Queue);
        Assert.Equal("sum(approximate_backlog_count{taskqueue=~\"orders.go\", namespace=~\"orders\"})", how.Signals.Single(signal => signal.Name == "backlog").Query);
        Assert.Contains("namespace=\"temporal-product\"", how.Signals.Single(signal => signal.Name == "cpu").Query, StringComparison.Ordinal);
    }

    /// <summary>Pods of a Deployment are <c>NAME-HASH-SUFFIX</c>: those of another one whose name begins alike must not count.</summary>
    [Fact]
    public void A_signal_counts_the_pods_of_its_own_component_only()
    {
        var names = CommittedCatalog.Catalog.Components.Where(component => component.Scaling?.Workload is not null).Select(component => component.Scaling!.Workload!).ToList();
        Assert.All(CommittedCatalog.Catalog.Components.Where(component => component.Scaling?.Workload is not null), component => Assert.All(
            component.Scaling!.Signals.SelectMany(signal => Pods().Matches(signal.Query)).Select(match => new Regex($"^(?:{match.Groups[1].Value})$")),
            pods => Assert.Equal([component.Scaling.Workload], names.Where(workload => pods.IsMatch(workload.Kind == "StatefulSet" ? $"{workload.Name}-0" : $"{workload.Name}-7d9c5b6f4-x2x9q")))));
    }

    private static IEnumerable<string> Signals() => CommittedCatalog.Catalog.Components.SelectMany(component => component.Scaling?.Signals ?? []).Select(signal => Placeholders().Replace(signal.Query, "filled"));

    private static IEnumerable<string> Rules() => Repository.Texts("k8s/components").Concat(Repository.Texts("k8s/bootstrap")).Where(file => file.Value.Contains("kind: PrometheusRule", StringComparison.Ordinal))
        .SelectMany(file => Expression().Matches(file.Value)).Select(match => match.Groups[1].Value.Trim('\''));

    [GeneratedRegex("^ *expr: (.+)$", RegexOptions.Multiline)]
    private static partial Regex Expression();

    [GeneratedRegex("\\$\\{[A-Za-z]+\\}")]
    private static partial Regex Placeholders();

    [GeneratedRegex("pod=~\"([^\"]*)\"")]
    private static partial Regex Pods();
}

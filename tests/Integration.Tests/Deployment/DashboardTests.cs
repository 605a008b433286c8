using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PlatformOps.Integration.Tests.Alerts;

namespace PlatformOps.Integration.Tests.Deployment;

/// <summary>The dashboards and alert rules that are shipped ask for what there is.</summary>
public sealed partial class DashboardTests(LiveMetrics live) : IClassFixture<LiveMetrics>
{
    /// <summary>What Prometheus itself says of what it asks.</summary>
    private static readonly string[] OfPrometheus = ["up"];

    private static IEnumerable<string> Files => Directory.EnumerateFiles(Path.Combine(Tools.Root, "k8s", "platformops", "monitoring", "dashboards"), "*.json").Order(StringComparer.Ordinal);

    [Fact]
    public async Task Every_metric_of_a_dashboard_or_rule_is_one_that_a_live_worker_receiver_or_guard_has()
    {
        var asked = Dashboards().SelectMany(Expressions).Concat(await RulesAsync()).SelectMany(expression => MetricNames.In(expression).Select(metric => (Metric: metric, Expression: expression))).ToList();
        Assert.True(asked.Select(known => known.Metric).Distinct().Count() > 30, "The expressions were not found.");
        Assert.Empty(asked.Where(known => !live.Names.Contains(known.Metric) && !OfPrometheus.Contains(known.Metric)).Select(known => $"{known.Metric} in: {known.Expression}"));
    }

    [Fact]
    public async Task Every_expression_is_one_that_Prometheus_understands()
    {
        Assert.SkipUnless(Tools.Installed, Tools.Missing);
        var file = Path.GetTempFileName();
        var rules = Dashboards().SelectMany(Expressions).Distinct().Select((expression, index) => new JsonObject { ["record"] = $"expression_{index}", ["expr"] = expression.Replace("$", "", StringComparison.Ordinal) });
        await File.WriteAllTextAsync(file, new JsonObject { ["groups"] = new JsonArray(new JsonObject { ["name"] = "dashboards", ["rules"] = new JsonArray([.. rules]) }) }.ToJsonString(), TestContext.Current.CancellationToken);
        await Tools.RunAsync("promtool", "", "check", "rules", "--lint=none", file);
        File.Delete(file);
    }

    [Fact]
    public void Every_dashboard_has_an_id_of_its_own_and_asks_whichever_Prometheus_is_chosen()
    {
        var all = Dashboards().ToList();
        Assert.Equal(all.Count, all.Select(dashboard => (string)dashboard["uid"]!).Distinct().Count());
        Assert.Equal(all.Count, all.Select(dashboard => (string)dashboard["title"]!).Distinct().Count());
        Assert.All(all, dashboard =>
        {
            var variables = dashboard["templating"]!["list"]!.AsArray();
            Assert.Contains(variables, variable => (string?)variable!["name"] == "datasource" && (string?)variable["type"] == "datasource" && (string?)variable["query"] == "prometheus");
            var panels = dashboard["panels"]!.AsArray();
            Assert.Equal(panels.Count, panels.Select(panel => (int)panel!["id"]!).Distinct().Count());
            Assert.All(Sources(dashboard), source => Assert.Equal(("prometheus", "${datasource}"), ((string?)source["type"], (string?)source["uid"])));
            Assert.All(panels, panel =>
            {
                var place = panel!["gridPos"]!;
                Assert.InRange((int)place["x"]! + (int)place["w"]!, 1, 24);
                Assert.NotEmpty((string)panel["title"]!);
                Assert.NotNull(panel["datasource"]);
                Assert.All(panel["targets"]!.AsArray(), target => Assert.NotNull(target!["datasource"]));
                Assert.Equal(panel["targets"]!.AsArray().Count, panel["targets"]!.AsArray().Select(target => (string)target!["refId"]!).Distinct().Count());
                // Grafana's schema requires it, and nothing supplies it to a dashboard of a version that has it.
                Assert.True(panel["options"]?["legend"] is not { } legend || (bool?)legend["showLegend"] == true, $"{panel["title"]} has a legend that is not shown.");
            });
            // A variable that is used and not declared is an empty panel.
            var declared = variables.Select(variable => (string)variable!["name"]!).ToHashSet();
            Assert.Empty(Expressions(dashboard).SelectMany(expression => Variable().Matches(expression)).Select(match => match.Groups[1].Value).Except(declared));
        });
    }

    [Theory]
    [InlineData("k8s/platformops/overlays/us-east-1")]
    [InlineData("k8s/platformops/overlays/us-west-2")]
    public async Task Every_dashboard_is_deployed_where_Grafana_looks_for_them(string overlay)
    {
        var shipped = (await Kustomization.RenderAsync(overlay)).Where(manifest => (string?)manifest["kind"] == "ConfigMap" && (string?)manifest["metadata"]!["labels"]?["grafana_dashboard"] == "1").ToList();
        Assert.Equal(Files.Select(Path.GetFileName), shipped.SelectMany(map => map["data"]!.AsObject().Select(entry => entry.Key)).Order(StringComparer.Ordinal));
        Assert.All(shipped, map => Assert.All(map["data"]!.AsObject(), entry => Assert.True(JsonNode.DeepEquals(JsonNode.Parse(File.ReadAllText(Files.Single(file => Path.GetFileName(file) == entry.Key))), JsonNode.Parse((string)entry.Value!)))));
    }

    private static IEnumerable<JsonObject> Dashboards() => Files.Select(file => JsonNode.Parse(File.ReadAllText(file))!.AsObject());

    private static IEnumerable<string> Expressions(JsonObject dashboard) =>
        dashboard["panels"]!.AsArray().SelectMany(panel => panel!["targets"]!.AsArray()).Select(target => (string)target!["expr"]!)
            .Concat(dashboard["templating"]!["list"]!.AsArray().Select(variable => (string)variable!["query"]!).Where(query => query.StartsWith("label_values(", StringComparison.Ordinal))
                .Select(query => query["label_values(".Length..query.IndexOf(',', StringComparison.Ordinal)]));

    private static async Task<IEnumerable<string>> RulesAsync() =>
        from manifest in await Kustomization.RenderAsync("k8s/platformops/overlays/us-east-1")
        where (string?)manifest["kind"] == "PrometheusRule"
        from node in manifest["spec"]!["groups"]!.AsArray()
        from rule in node!["rules"]!.AsArray()
        select (string)rule!["expr"]!;

    private static IEnumerable<JsonNode> Sources(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(field => field.Key == "datasource" ? [field.Value!] : Sources(field.Value)),
        JsonArray list => list.SelectMany(Sources),
        _ => [],
    };

    [GeneratedRegex("\\$\\{?([a-z_]+)")]
    private static partial Regex Variable();
}

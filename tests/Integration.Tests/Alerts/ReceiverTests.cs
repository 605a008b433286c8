using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Integration.Tests.Alerts;

/// <summary>What the webhooks answer, and what the runbook gets. The Temporal server is the embedded one, over the wire.</summary>
public class ReceiverTests
{
    [Fact]
    public async Task An_alert_starts_the_runbook_of_its_environment_with_the_signal()
    {
        await using var fixture = await ReceiverFixture.StartAsync();
        var answer = await fixture.PostAlertsAsync(Payloads.Alert("production"));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var signal = Assert.Single((await fixture.SignalsAsync("production"))!);
        Assert.Equal("a482cdbb60238a75/2026-11-23T04:27:18.734Z", signal.Key);
        Assert.Equal(("PostgreSQLPrimaryDown", "firing", "us-east-1", "critical", "alertmanager"), (signal.Name, signal.Status, signal.Region, signal.Severity, signal.Source));
        Assert.Equal("No primary accepts writes.", signal.Summary);
        var description = await fixture.Client.GetWorkflowHandle(RegionFailover.WorkflowId("production")).DescribeAsync();
        Assert.Equal(("RegionFailover", "platformops.failover"), (description.WorkflowType, description.TaskQueue));
    }

    [Fact]
    public async Task A_thousand_repetitions_from_two_senders_make_one_run_and_one_signal_of_each_kind()
    {
        await using var fixture = await ReceiverFixture.StartAsync("limits: {requestsPerSecond: 10000}");
        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = TestContext.Current.CancellationToken }, async (i, _) =>
            Assert.Equal(HttpStatusCode.Accepted, (await fixture.PostAlertsAsync(Payloads.Alert("production", fingerprint: i % 2 == 0 ? "one" : "two"))).StatusCode));
        var runs = 0;
        await foreach (var run in fixture.Client.ListWorkflowsAsync("WorkflowType = 'RegionFailover'"))
            runs++;
        Assert.Equal(1, runs);
        // Those that arrive at the very same moment may be passed on more than once, which the runbook does not mind.
        Assert.InRange((await fixture.SignalsAsync("production"))!.Count, 2, 16);
    }

    [Fact]
    public async Task That_an_alert_is_over_is_passed_on_with_the_same_key()
    {
        await using var fixture = await ReceiverFixture.StartAsync();
        await fixture.PostAlertsAsync(Payloads.Alert("production"));
        await fixture.PostAlertsAsync(Payloads.Alert("production", "resolved"));
        await fixture.PostAlertsAsync(Payloads.Alert("production", startsAt: "2026-11-23T05:00:00Z"));
        var signals = (await fixture.SignalsAsync("production"))!;
        Assert.Equal(["firing", "resolved", "firing"], signals.Select(signal => signal.Status));
        Assert.Equal(signals[0].Key, signals[1].Key);
        Assert.NotEqual(signals[0].Key, signals[2].Key);
        Assert.NotNull(signals[1].EndsAt);
    }

    [Fact]
    public async Task Nothing_is_accepted_while_the_server_is_away_and_what_is_sent_again_arrives()
    {
        await using var fixture = await ReceiverFixture.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await fixture.Http.GetAsync(new Uri(fixture.Address, "/readyz"), TestContext.Current.CancellationToken)).StatusCode);
        await fixture.Server.DisposeAsync();
        var answer = await fixture.PostAlertsAsync(Payloads.Alert("production"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await fixture.Http.GetAsync(new Uri(fixture.Address, "/readyz"), TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await fixture.Http.GetAsync(new Uri(fixture.Address, "/healthz"), TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task A_group_of_which_one_has_no_route_keeps_that_one_and_passes_on_the_others()
    {
        await using var fixture = await ReceiverFixture.StartAsync();
        var answer = await fixture.PostAlertsAsync(Payloads.Alert("production"), Payloads.Alert("prodution", fingerprint: "typo"));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Contains("There is no environment prodution", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Single((await fixture.SignalsAsync("production"))!);
        Assert.Null(await fixture.SignalsAsync("prodution"));
    }

    [Fact]
    public async Task What_no_route_takes_is_refused_listed_and_counted_and_is_still_there_after_a_restart()
    {
        await using var fixture = await ReceiverFixture.StartAsync();
        for (var i = 0; i < 3; i++)
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await fixture.PostAlertsAsync(Payloads.Alert("production", name: "DiskFull"))).StatusCode);
        var metrics = await fixture.Http.GetStringAsync(new Uri(fixture.Address, "/metrics"), TestContext.Current.CancellationToken);
        Assert.Contains("platformops_alerts_unrouted_total{source=\"alertmanager\"} 3", metrics, StringComparison.Ordinal);
        await fixture.StartReceiverAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, (await fixture.Http.GetAsync(new Uri(fixture.Address, "/v1/dead-letters"), TestContext.Current.CancellationToken)).StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(fixture.Address, "/v1/dead-letters"));
        request.Headers.Authorization = new("Bearer", ReceiverFixture.Token);
        var list = JsonDocument.Parse(await (await fixture.Http.SendAsync(request, TestContext.Current.CancellationToken)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var letter = Assert.Single(list.RootElement.EnumerateArray());
        Assert.StartsWith("No route matches alert DiskFull", letter.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Bearer wrong")]
    [InlineData("Bearer ")]
    [InlineData("Basic a-token-of-alertmanager")]
    public async Task Nobody_without_the_token_is_listened_to(string authorization)
    {
        await using var fixture = await ReceiverFixture.StartAsync();
        var answer = await fixture.PostAsync("/v1/alertmanager", Payloads.Alertmanager(Payloads.Alert("production")), request =>
        {
            request.Headers.Remove("Authorization");
            if (authorization.Length > 0)
                request.Headers.TryAddWithoutValidation("Authorization", authorization);
        });
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.DoesNotContain(ReceiverFixture.Token, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Null(await fixture.SignalsAsync("production"));
    }

    [Fact]
    public async Task A_token_is_changed_without_a_restart()
    {
        await using var fixture = await ReceiverFixture.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(fixture.Folder, "token"), "another", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Unauthorized, (await fixture.PostAlertsAsync(Payloads.Alert("production"))).StatusCode);
        var answer = await fixture.PostAsync("/v1/alertmanager", Payloads.Alertmanager(Payloads.Alert("production")), request => request.Headers.Authorization = new("Bearer", "another"));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    [Theory]
    [InlineData("not json", "is not JSON")]
    [InlineData("[]", "a JSON object is expected")]
    [InlineData("{\"version\":\"3\",\"alerts\":[]}", "version is '3'")]
    [InlineData("{\"version\":\"4\"}", "alerts is missing")]
    [InlineData("{\"version\":\"4\",\"alerts\":[1]}", "alerts[0] is Number")]
    [InlineData("{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":\"A\"},\"startsAt\":\"2026-01-01T00:00:00Z\"}]}", "alerts[0].fingerprint is missing")]
    [InlineData("{\"version\":\"4\",\"alerts\":[{\"status\":\"burning\",\"labels\":{\"alertname\":\"A\"},\"fingerprint\":\"f\",\"startsAt\":\"2026-01-01T00:00:00Z\"}]}", "alerts[0].status is 'burning'")]
    [InlineData("{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"labels\":{},\"fingerprint\":\"f\",\"startsAt\":\"2026-01-01T00:00:00Z\"}]}", "alerts[0].labels.alertname is missing")]
    [InlineData("{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":1},\"fingerprint\":\"f\",\"startsAt\":\"2026-01-01T00:00:00Z\"}]}", "alerts[0].labels.alertname is Number")]
    [InlineData("{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":\"A\"},\"fingerprint\":\"f\",\"startsAt\":\"soon\"}]}", "alerts[0].startsAt is 'soon'")]
    public async Task What_cannot_be_read_is_refused_with_the_name_of_the_field(string body, string why)
    {
        await using var fixture = await ReceiverFixture.StartAsync();
        var answer = await fixture.PostAsync("/v1/alertmanager", Payloads.Text(body));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(why, (await JsonSerializer.DeserializeAsync<JsonElement>(await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), cancellationToken: TestContext.Current.CancellationToken)).GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_long_a_body_and_too_many_requests_are_refused()
    {
        await using var fixture = await ReceiverFixture.StartAsync("limits: {bodyBytes: 2048, requestsPerSecond: 1}");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await fixture.PostAsync("/v1/alertmanager", new byte[4096])).StatusCode);
        // At once, so that it does not matter how long each takes.
        var answers = (await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => fixture.PostAlertsAsync(Payloads.Alert("production"))))).Select(answer => answer.StatusCode).ToList();
        Assert.Contains(HttpStatusCode.TooManyRequests, answers);
        Assert.Contains(HttpStatusCode.Accepted, answers);
    }

    [Fact]
    public async Task A_cloud_event_is_believed_by_its_signature_in_both_modes()
    {
        await using var fixture = await ReceiverFixture.StartAsync();
        var data = Payloads.Text("""{"labels":{"alertname":"PostgreSQLLag","environment":"staging","region":"us-west-2"},"summary":"lag"}""");
        void Binary(HttpRequestMessage request, byte[] body)
        {
            foreach (var (name, value) in new[] { ("ce-specversion", "1.0"), ("ce-id", "7"), ("ce-source", "/probes"), ("ce-type", "probe.failed") })
                request.Headers.Add(name, value);
            Sign(request, body);
        }

        Assert.Equal(HttpStatusCode.Accepted, (await fixture.PostAsync("/v1/cloudevents", data, request => Binary(request, data))).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await fixture.PostAsync("/v1/cloudevents", data, request => Binary(request, [1]))).StatusCode);
        var whole = Payloads.Text("""{"specversion":"1.0","id":"8","source":"/probes","type":"PostgreSQLLag","data":{"labels":{"environment":"staging"},"status":"resolved"}}""");
        Assert.Equal(HttpStatusCode.Accepted, (await fixture.PostAsync("/v1/cloudevents", whole, request =>
        {
            request.Content!.Headers.ContentType = new("application/cloudevents+json");
            Sign(request, whole);
        })).StatusCode);
        var signals = (await fixture.SignalsAsync("staging"))!;
        Assert.Equal(["/probes/7 firing PostgreSQLLag", "/probes/8 resolved PostgreSQLLag"], signals.Select(signal => $"{signal.Key} {signal.Status} {signal.Name}"));
        var half = Payloads.Text("{}");
        var answer = await fixture.PostAsync("/v1/cloudevents", half, request => Sign(request, half));
        Assert.Contains("ce-specversion is missing", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static void Sign(HttpRequestMessage request, byte[] body) => request.Headers.Add(
        "X-Hub-Signature-256", $"sha256={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(ReceiverFixture.HmacKey), body))}");
}

using System.Net.Http.Headers;
using Microsoft.Extensions.Logging.Abstractions;
using PlatformOps.BootstrapServer;
using PlatformOps.Platform.Alerts;
using PlatformOps.Starter.Alerts;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows.Failover;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Converters;

namespace PlatformOps.Integration.Tests.Alerts;

/// <summary>A receiver and the Temporal server behind it. No worker runs: what the server has accepted is in the history, whoever carries it out.</summary>
public sealed class ReceiverFixture : IAsyncDisposable
{
    public const string Token = "a-token-of-alertmanager", HmacKey = "a-key-of-the-others";

    private readonly HttpClient outside;
    private AlertReceiver? receiver;

    private readonly string matcher;

    private ReceiverFixture(HttpClient outside, string matcher) => (this.outside, this.matcher) = (outside, matcher);

    public string Folder { get; } = Directory.CreateTempSubdirectory("platformops-alerts-").FullName;

    public BootstrapServerHost Server { get; private set; } = null!;

    public TemporalClient Client { get; private set; } = null!;

    public HttpClient Http { get; } = new();

    internal Uri Address => new(receiver!.Address);

    /// <param name="further">YAML that is added to the configuration.</param>
    /// <param name="outside">Answers for AWS.</param>
    /// <param name="matcher">Of the first route.</param>
    public static async Task<ReceiverFixture> StartAsync(string further = "", HttpMessageHandler? outside = null, string matcher = "alertname=~\"PostgreSQL.*\"")
    {
        var fixture = new ReceiverFixture(outside is null ? new() : new(outside, disposeHandler: false), matcher);
        await File.WriteAllTextAsync(Path.Combine(fixture.Folder, "token"), Token + "\n");
        await File.WriteAllTextAsync(Path.Combine(fixture.Folder, "key"), HmacKey);
        fixture.Server = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes });
        fixture.Client = await TemporalClient.ConnectAsync(TemporalTarget.Of(fixture.Server.Address, "the test").Options);
        await fixture.StartReceiverAsync(further);
        return fixture;
    }

    public async Task StartReceiverAsync(string further = "")
    {
        if (receiver is not null)
            await receiver.DisposeAsync();
        var read = AlertConfigurationReader.Read("alerts.yaml", $"""
            apiVersion: platformops.io/v1
            kind: Alerts
            listen: 127.0.0.1:0
            alertmanager: {"{"}tokenFile: token{"}"}
            cloudEvents: {"{"}hmacKeyFile: key{"}"}
            sns: {"{"}topics: ["arn:aws:sns:us-east-1:123456789012:alarms"]{"}"}
            deadLetters: dead.jsonl
            environments: [production, staging]
            routes:
              - name: database
                matchers: ['{matcher}']
                runbook: RegionFailover
              - name: alarms
                matchers: ['topic=~".+"']
                environment: staging
                runbook: RegionFailover
            {further}
            """);
        Assert.Empty(read.Problems);
        receiver = await AlertReceiver.StartAsync(
            read.Configuration!, Folder, new AlertDelivery(TemporalClient.CreateLazy(TemporalTarget.Of(Server.Address, "the test").Options)), outside, NullLoggerFactory.Instance, TimeProvider.System,
            TestContext.Current.CancellationToken);
    }

    public async Task<HttpResponseMessage> PostAsync(string path, byte[] body, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Address, path)) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        change?.Invoke(request);
        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public Task<HttpResponseMessage> PostAlertsAsync(params object[] alerts) => PostAsync("/v1/alertmanager", Payloads.Alertmanager(alerts));

    /// <summary>The alerts that the environment's run has been signalled, in order; null: there is no run.</summary>
    internal async Task<IReadOnlyList<AlertSignal>?> SignalsAsync(string environment)
    {
        try
        {
            var history = await Client.GetWorkflowHandle(RegionFailover.WorkflowId(environment)).FetchHistoryAsync();
            var signals = new List<AlertSignal>();
            foreach (var signal in history.Events.Where(item => item.EventType == EventType.WorkflowExecutionSignaled))
            {
                Assert.Equal("alert", signal.WorkflowExecutionSignaledEventAttributes.SignalName);
                signals.Add(await Client.Options.DataConverter.ToValueAsync<AlertSignal>(signal.WorkflowExecutionSignaledEventAttributes.Input.Payloads_[0]));
            }

            return signals;
        }
        catch (Temporalio.Exceptions.RpcException missing) when (missing.Code == Temporalio.Exceptions.RpcException.StatusCode.NotFound)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await receiver!.DisposeAsync();
        await Server.DisposeAsync();
        Http.Dispose();
        outside.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}

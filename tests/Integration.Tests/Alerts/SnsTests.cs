using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PlatformOps.Integration.Tests.Alerts;

/// <summary>What Amazon SNS posts, signed as SNS signs, with a certificate of the test's own where AWS's would be.</summary>
public sealed class SnsTests : IDisposable
{
    private const string Topic = "arn:aws:sns:us-east-1:123456789012:alarms", Certificates = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem";

    private readonly RSA key = RSA.Create(2048);
    private readonly AwsOfTheTest aws;

    public SnsTests()
    {
        using var certificate = new CertificateRequest("CN=sns.amazonaws.com", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        aws = new(certificate.ExportCertificatePem());
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public async Task An_alarm_and_its_end_reach_the_runbook(string version)
    {
        await using var fixture = await ReceiverFixture.StartAsync(outside: aws);
        Assert.Equal(HttpStatusCode.Accepted, (await fixture.PostAsync("/v1/sns", Signed(Notification("ALARM"), version))).StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, (await fixture.PostAsync("/v1/sns", Signed(Notification("INSUFFICIENT_DATA"), version))).StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, (await fixture.PostAsync("/v1/sns", Signed(Notification("OK"), version))).StatusCode);
        var signals = (await fixture.SignalsAsync("staging"))!;
        Assert.Equal(["firing", "resolved"], signals.Select(signal => signal.Status));
        Assert.All(signals, signal => Assert.Equal(("ReplicaLag", "us-east-1", "sns"), (signal.Name, signal.Region, signal.Source)));
        Assert.Single(signals.Select(signal => signal.Key).Distinct());
    }

    [Fact]
    public async Task A_subscription_to_a_declared_topic_is_confirmed()
    {
        await using var fixture = await ReceiverFixture.StartAsync(outside: aws);
        Assert.Equal(HttpStatusCode.Accepted, (await fixture.PostAsync("/v1/sns", Signed(Subscription("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=t")))).StatusCode);
        Assert.Contains(aws.Asked, address => address.Query.Contains("ConfirmSubscription", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_AWS_has_not_signed_is_not_believed()
    {
        await using var fixture = await ReceiverFixture.StartAsync(outside: aws);
        var changed = JsonNode.Parse(Signed(Notification("OK")))!;
        changed["Message"] = ((string)changed["Message"]!).Replace("\"OK\"", "\"ALARM\"", StringComparison.Ordinal);
        var elsewhere = JsonNode.Parse(Signed(Notification("ALARM")))!;
        elsewhere["SigningCertURL"] = "https://sns.us-east-1.amazonaws.com.example.com/c.pem";
        var lookalike = JsonNode.Parse(Signed(Notification("ALARM")))!;
        lookalike["SigningCertURL"] = "http://sns.us-east-1.amazonaws.com/c.pem";
        var topic = Notification("ALARM");
        topic["TopicArn"] = "arn:aws:sns:us-east-1:999999999999:alarms";
        foreach (var body in new[] { changed.ToJsonString(), elsewhere.ToJsonString(), lookalike.ToJsonString(), Encoding.UTF8.GetString(Signed(topic)), Encoding.UTF8.GetString(Signed(Subscription("https://169.254.169.254/latest/meta-data"))) })
            Assert.Equal(HttpStatusCode.Unauthorized, (await fixture.PostAsync("/v1/sns", Payloads.Text(body))).StatusCode);
        Assert.Null(await fixture.SignalsAsync("staging"));
        Assert.DoesNotContain(aws.Asked, address => !address.Host.Equals("sns.us-east-1.amazonaws.com", StringComparison.Ordinal));
    }

    public void Dispose()
    {
        key.Dispose();
        aws.Dispose();
    }

    private static JsonObject Notification(string state) => new()
    {
        ["Type"] = "Notification",
        ["MessageId"] = Guid.NewGuid().ToString(),
        ["TopicArn"] = Topic,
        ["Subject"] = $"{state}: \"ReplicaLag\"",
        ["Message"] = JsonSerializer.Serialize(new
        {
            AlarmName = "ReplicaLag",
            AlarmArn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:ReplicaLag",
            NewStateValue = state,
            NewStateReason = "Threshold Crossed",
            StateChangeTime = "2026-11-23T04:27:18.734+0000",
            Region = "US East (N. Virginia)",
            Trigger = new { Dimensions = new[] { new { name = "DBInstanceIdentifier", value = "platform" } } },
        }),
        ["Timestamp"] = "2026-11-23T04:27:19.000Z",
    };

    private static JsonObject Subscription(string address) => new()
    {
        ["Type"] = "SubscriptionConfirmation",
        ["MessageId"] = "m",
        ["Token"] = "t",
        ["TopicArn"] = Topic,
        ["Message"] = "You have chosen to subscribe.",
        ["SubscribeURL"] = address,
        ["Timestamp"] = "2026-11-23T04:27:19.000Z",
    };

    private byte[] Signed(JsonObject message, string version = "2")
    {
        string[] names = (string?)message["Type"] == "Notification" ? ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"] : ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
        var text = string.Concat(names.Where(message.ContainsKey).Select(name => $"{name}\n{(string)message[name]!}\n"));
        message["SignatureVersion"] = version;
        message["Signature"] = Convert.ToBase64String(key.SignData(Encoding.UTF8.GetBytes(text), version == "1" ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        message["SigningCertURL"] = Certificates;
        return JsonSerializer.SerializeToUtf8Bytes(message);
    }

    /// <summary>Gives out the certificate, and confirms subscriptions.</summary>
    private sealed class AwsOfTheTest(string certificate) : HttpMessageHandler
    {
        public List<Uri> Asked { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked.Add(request.RequestUri!);
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(request.RequestUri!.AbsolutePath.EndsWith(".pem", StringComparison.Ordinal) ? certificate : "<ok/>") });
        }
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using PlatformOps.Platform.Alerts;

namespace PlatformOps.Adapters.Alerts;

/// <summary>What Amazon SNS posts to an HTTPS subscriber: notifications of CloudWatch alarms, and the question whether we want the subscription.</summary>
public sealed partial class SnsMessage
{
    private readonly JsonElement message;

    private SnsMessage(JsonElement message) => this.message = message;

    public string Type => AlertPayload.Text(message, "Type", "");

    public string Topic => AlertPayload.Text(message, "TopicArn", "");

    /// <summary>True for the question whether we want the subscription; it is answered by asking for <see cref="SubscribeUrl"/>.</summary>
    public bool AsksToConfirm => Type == "SubscriptionConfirmation";

    /// <summary>Of AWS, or it is refused: whoever can make us ask for any address can reach what only we can.</summary>
    /// <exception cref="AdapterException">It is not an address of SNS.</exception>
    public Uri SubscribeUrl => OfSns("SubscribeURL");

    /// <exception cref="AdapterException">It is no message of SNS; the message names the field.</exception>
    public static SnsMessage Read(ReadOnlyMemory<byte> body)
    {
        var read = new SnsMessage(AlertPayload.Object(body, "The message of SNS"));
        return read.Type is "Notification" or "SubscriptionConfirmation" or "UnsubscribeConfirmation"
            ? read
            : throw AlertPayload.Wrong($"Type is '{read.Type}'; Notification, SubscriptionConfirmation or UnsubscribeConfirmation is expected.");
    }

    /// <summary>Checks SNS's signature.</summary>
    /// <param name="certificateOf">Gets the certificate from an address of SNS.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Unauthorized"/>: SNS has not signed this.</exception>
    public async Task VerifyAsync(Func<Uri, CancellationToken, Task<X509Certificate2>> certificateOf, CancellationToken ct)
    {
        var hash = AlertPayload.Optional(message, "SignatureVersion", "") switch
        {
            "1" => HashAlgorithmName.SHA1,
            "2" => HashAlgorithmName.SHA256,
            var other => throw AlertPayload.Wrong($"SignatureVersion is '{other}'; 1 or 2 is expected."),
        };
        var certificate = await certificateOf(OfSns("SigningCertURL"), ct);
        using var key = certificate.GetRSAPublicKey() ?? throw Forged("the certificate has no RSA key");
        byte[] signature;
        try
        {
            signature = Convert.FromBase64String(AlertPayload.Text(message, "Signature", ""));
        }
        catch (FormatException)
        {
            throw AlertPayload.Wrong("Signature is not base64.");
        }

        if (!key.VerifyData(Encoding.UTF8.GetBytes(Signed()), signature, hash, RSASignaturePadding.Pkcs1))
            throw Forged("the signature is not that of its content");
    }

    /// <summary>The alarm that a notification is about; null when the alarm has too few data: that is neither firing nor over.</summary>
    /// <exception cref="AdapterException">It is not about a CloudWatch alarm; the message names the field.</exception>
    public Alert? Alarm()
    {
        var alarm = AlertPayload.Object(Encoding.UTF8.GetBytes(AlertPayload.Text(message, "Message", "")), "Message, of a CloudWatch alarm,");
        var name = AlertPayload.Text(alarm, "AlarmName", "Message.");
        var state = AlertPayload.Text(alarm, "NewStateValue", "Message.");
        if (state is not ("ALARM" or "OK" or "INSUFFICIENT_DATA"))
            throw AlertPayload.Wrong($"Message.NewStateValue is '{state}'; ALARM, OK or INSUFFICIENT_DATA is expected.");
        if (state == "INSUFFICIENT_DATA")
            return null;
        var labels = new Dictionary<string, string> { ["alertname"] = name, ["topic"] = Topic };
        // The topic's region is written as regions are; the alarm's own "Region" is a name for people.
        labels["region"] = Topic.Split(':') is [_, _, _, var region, ..] ? region : "";
        if (alarm.TryGetProperty("Trigger", out var trigger) && trigger.ValueKind == JsonValueKind.Object && trigger.TryGetProperty("Dimensions", out var dimensions) && dimensions.ValueKind == JsonValueKind.Array)
        {
            foreach (var dimension in dimensions.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object))
                labels.TryAdd(AlertPayload.Text(dimension, "name", "Message.Trigger.Dimensions."), AlertPayload.Text(dimension, "value", "Message.Trigger.Dimensions."));
        }

        var changed = AlertPayload.Time(alarm, "StateChangeTime", "Message.");
        return new Alert
        {
            Key = AlertPayload.Optional(alarm, "AlarmArn", "Message.") ?? $"{Topic}/{name}",
            Name = name,
            Status = state == "ALARM" ? AlertStatus.Firing : AlertStatus.Resolved,
            Labels = labels,
            Summary = AlertPayload.Optional(alarm, "AlarmDescription", "Message.") ?? AlertPayload.Optional(alarm, "NewStateReason", "Message."),
            StartsAt = state == "ALARM" ? changed : null,
            EndsAt = state == "OK" ? changed : null,
            Source = "sns",
        };
    }

    /// <summary>The fields that are signed, each name and value on a line, in the order that SNS states.</summary>
    private string Signed()
    {
        string[] names = AsksToConfirm || Type == "UnsubscribeConfirmation"
            ? ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
            : ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
        return string.Concat(names.Select(name => (name, value: AlertPayload.Optional(message, name, ""))).Where(pair => pair.value is not null).Select(pair => $"{pair.name}\n{pair.value}\n"));
    }

    private Uri OfSns(string field)
    {
        var text = AlertPayload.Text(message, field, "");
        return Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps && address.IsDefaultPort && address.UserInfo.Length == 0 && SnsHost().IsMatch(address.Host)
            ? address
            : throw new AdapterException(AdapterFailureKind.Unauthorized, $"{field} is not an address of Amazon SNS: the message was not believed.");
    }

    private static AdapterException Forged(string why) => new(AdapterFailureKind.Unauthorized, $"The message was not believed: {why}.");

    [GeneratedRegex(@"^sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$")]
    private static partial Regex SnsHost();
}

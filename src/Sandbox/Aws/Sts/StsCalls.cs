using System.Globalization;
using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Sts;

/// <summary>Who calls: the account's own key, keys of users, and keys of roles that were given out.</summary>
/// <param name="owner">Whose an access key of a user is; null: nobody's.</param>
internal sealed class StsCalls(AwsStorage storage, string accessKey, Func<string, string?> owner)
{
    private readonly Lock gate = new();
    private readonly Kept<SortedDictionary<string, string>> roles = new(storage, "sts");

    /// <summary>Refuses a key that nobody was given. Any key of the usual form without a role is the account's.</summary>
    public void Check(string key)
    {
        lock (gate)
            if (key != accessKey && !roles.Value.ContainsKey(key) && owner(key) is null)
                throw new AwsFailure(403, "InvalidClientTokenId", "The security token included in the request is invalid");
    }

    public XElement CarryOut(AwsCall call)
    {
        lock (gate)
            return call.Operation switch
            {
                "GetCallerIdentity" => call.Answer(new("UserId", call.Key), new("Account", AwsStandIn.Account), new("Arn", roles.Value.GetValueOrDefault(call.Key) ?? $"arn:aws:iam::{AwsStandIn.Account}:user/{owner(call.Key) ?? "sandbox"}")),
                "AssumeRole" => AssumeRole(call),
                _ => throw AwsFailure.InvalidAction(call),
            };
    }

    private XElement AssumeRole(AwsCall call)
    {
        var (role, session) = (call.Required("RoleArn"), call.Required("RoleSessionName"));
        var seconds = call.Number("DurationSeconds") is not { } wanted ? 3600 : wanted is >= 900 and <= 43200 ? wanted : throw AwsFailure.Invalid("DurationSeconds must be between 900 and 43200");
        call.Text("ExternalId");
        call.NothingElse();
        var key = $"ASIA{Guid.NewGuid():N}"[..20].ToUpperInvariant();
        var arn = $"arn:aws:sts::{AwsStandIn.Account}:assumed-role/{role[(role.LastIndexOf('/') + 1)..]}/{session}";
        roles.Value[key] = arn;
        roles.Write();
        return call.Answer(
            new("Credentials", new XElement("AccessKeyId", key), new XElement("SecretAccessKey", Guid.NewGuid().ToString("N")), new XElement("SessionToken", Guid.NewGuid().ToString("N")),
                new XElement("Expiration", DateTime.UtcNow.AddSeconds(seconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture))),
            new("AssumedRoleUser", new XElement("AssumedRoleId", $"{key}:{session}"), new XElement("Arn", arn)));
    }
}

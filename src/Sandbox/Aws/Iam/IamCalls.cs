using System.Security.Cryptography;
using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Iam;

/// <summary>The access keys of users that were there before.</summary>
internal sealed class IamCalls(AwsStorage storage)
{
    private const int KeysAtMost = 2;

    private readonly Lock gate = new();
    private readonly Kept<SortedDictionary<string, List<StoredKey>>> users = new(storage, "iam");

    /// <summary>A user with another key; a user that is not there is made.</summary>
    public (string Id, string Secret) Give(string user)
    {
        lock (gate)
        {
            users.Value.TryAdd(user, []);
            var made = Make(user);
            users.Write();
            return (made.Id, made.Secret);
        }
    }

    /// <summary>Whose active key it is; null: nobody's.</summary>
    public string? Owner(string key)
    {
        lock (gate)
            return users.Value.FirstOrDefault(user => user.Value.Exists(known => known.Id == key && known.Active)).Key;
    }

    public XElement CarryOut(AwsCall call)
    {
        lock (gate)
        {
            var answer = call.Operation switch
            {
                "ListAccessKeys" => List(call, User(call)),
                "CreateAccessKey" => Create(call, User(call)),
                "UpdateAccessKey" => Update(call, User(call)),
                "DeleteAccessKey" => Delete(call, User(call)),
                _ => throw AwsFailure.InvalidAction(call),
            };
            users.Write();
            return answer;
        }
    }

    private XElement List(AwsCall call, string user)
    {
        call.NothingElse();
        return call.Answer(new("AccessKeyMetadata", users.Value[user].Select(key => new XElement("member", Metadata(user, key)))), new("IsTruncated", "false"));
    }

    private XElement Create(AwsCall call, string user)
    {
        call.NothingElse();
        if (users.Value[user].Count >= KeysAtMost)
            throw new AwsFailure(409, "LimitExceeded", $"Cannot exceed quota for AccessKeysPerUser: {KeysAtMost}");
        var made = Make(user);
        return call.Answer(new XElement("AccessKey", Metadata(user, made), new XElement("SecretAccessKey", made.Secret)));
    }

    private XElement Update(AwsCall call, string user)
    {
        var (id, status) = (call.Required("AccessKeyId"), call.Required("Status"));
        call.NothingElse();
        var at = Find(user, id);
        users.Value[user][at] = users.Value[user][at] with { Active = status switch { "Active" => true, "Inactive" => false, _ => throw AwsFailure.Invalid($"Invalid value for Status: {status}") } };
        return call.Answer();
    }

    private XElement Delete(AwsCall call, string user)
    {
        var id = call.Required("AccessKeyId");
        call.NothingElse();
        users.Value[user].RemoveAt(Find(user, id));
        return call.Answer();
    }

    private string User(AwsCall call) => call.Required("UserName") is var user && users.Value.ContainsKey(user) ? user : throw new AwsFailure(404, "NoSuchEntity", $"The user with name {user} cannot be found.");

    private int Find(string user, string id) => users.Value[user].FindIndex(key => key.Id == id) is >= 0 and var at ? at : throw new AwsFailure(404, "NoSuchEntity", $"The Access Key with id {id} cannot be found.");

    private StoredKey Make(string user)
    {
        var made = new StoredKey($"AKIA{Guid.NewGuid():N}"[..20].ToUpperInvariant(), Convert.ToBase64String(RandomNumberGenerator.GetBytes(30)), Active: true);
        users.Value[user].Add(made);
        return made;
    }

    private static XElement[] Metadata(string user, StoredKey key) => [new("UserName", user), new("AccessKeyId", key.Id), new("Status", key.Active ? "Active" : "Inactive")];

    /// <param name="Secret">Not checked: signatures are not.</param>
    internal sealed record StoredKey(string Id, string Secret, bool Active);
}

using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Route53;

/// <summary>Changes of a zone's records, which are carried out as a whole or not at all.</summary>
internal static class RecordChanges
{
    public static void CarryOut(StoredZone zone, XElement body)
    {
        var records = new Dictionary<string, string>(zone.Records);
        foreach (var change in body.Descendants("Change"))
            CarryOut(zone, change.Element("Action")?.Value, Normalized(change.Element("ResourceRecordSet") ?? throw Refused("a change needs a ResourceRecordSet")), records);
        zone.Records.Clear();
        foreach (var (key, record) in records)
            zone.Records.Add(key, record);
    }

    public static string Dotted(string name) => name.EndsWith('.') ? name : $"{name}.";

    private static void CarryOut(StoredZone zone, string? action, XElement wanted, Dictionary<string, string> records)
    {
        var name = RecordName.Of(wanted);
        var (key, text, there) = (name.ToString(), wanted.ToString(SaveOptions.DisableFormatting), records.GetValueOrDefault(name.ToString()));
        var words = $"resource record set [name='{name.Name}', type='{name.Type}'{(name.Set.Length > 0 ? $", set identifier='{name.Set}'" : "")}]";
        if (!name.Name.EndsWith($".{zone.Name}", StringComparison.Ordinal) && name.Name != zone.Name)
            throw Refused($"RRSet with DNS name {name.Name} is not permitted in zone {zone.Name}");
        if (wanted.Element("ResourceRecords") is null == wanted.Element("AliasTarget") is null || wanted.Element("TTL") is null != wanted.Element("ResourceRecords") is null)
            throw Refused("Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]");
        if (wanted.Descendants("Value").Any(value => name.Type == "TXT" && value.Value.Split("\" \"").Any(part => part.Trim('"').Length > 255)))
            throw Refused("CharacterStringTooLong");
        switch (action)
        {
            case "CREATE" when there is not null:
                throw Refused($"Tried to create {words} but it already exists");
            case "CREATE" or "UPSERT":
                records[key] = text;
                break;
            case "DELETE" when there is null:
                throw Refused($"Tried to delete {words} but it was not found");
            case "DELETE" when there != text:
                throw Refused($"Tried to delete {words} but the values provided do not match the current values");
            case "DELETE":
                records.Remove(key);
                break;
            default:
                throw Refused("an Action is CREATE, UPSERT or DELETE");
        }
    }

    private static XElement Normalized(XElement record)
    {
        var copy = new XElement(record);
        var name = copy.Element("Name") ?? throw Refused("a ResourceRecordSet needs a Name");
        name.Value = Dotted(name.Value).ToLowerInvariant().Replace("*", "\\052", StringComparison.Ordinal);
        if (copy.Element("AliasTarget")?.Element("DNSName") is { } target)
            target.Value = Dotted(target.Value);
        return copy;
    }

    private static AwsFailure Refused(string message) => new(400, "InvalidChangeBatch", $"[{message}]");
}

using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Route53;

/// <summary>All zones of the account; Route 53 has no regions.</summary>
internal sealed class Route53State
{
    /// <summary>By id.</summary>
    public SortedDictionary<string, StoredZone> Zones { get; init; } = new(StringComparer.Ordinal);

    /// <summary>When changes have reached all name servers, by id.</summary>
    public Dictionary<string, DateTimeOffset> Changes { get; init; } = [];
}

/// <summary>A zone.</summary>
internal sealed class StoredZone
{
    /// <summary>With the last dot.</summary>
    public required string Name { get; init; }

    public required string Reference { get; init; }

    public bool Private { get; init; }

    public string Comment { get; init; } = "";

    public Dictionary<string, string> Tags { get; init; } = [];

    /// <summary>By <see cref="RecordName"/>, as they were written.</summary>
    public Dictionary<string, string> Records { get; init; } = [];

    /// <summary>When each of them came.</summary>
    public Dictionary<string, DateTimeOffset> Came { get; init; } = [];

    public XElement ToXml(string id) => new("HostedZone",
        new XElement("Id", $"/hostedzone/{id}"), new XElement("Name", Name), new XElement("CallerReference", Reference),
        new XElement("Config", new XElement("Comment", Comment), new XElement("PrivateZone", Private)),
        new XElement("ResourceRecordSetCount", Records.Count));
}

/// <summary>By what records are told apart, in the order in which they are listed: the labels of the name backwards, the type, the set.</summary>
internal sealed record RecordName(string Name, string Type, string Set)
{
    public override string ToString() => $"{string.Join('.', Name.TrimEnd('.').Split('.').Reverse())} {Type} {Set}";

    public static RecordName Of(XElement record) => new(Text(record, "Name"), Text(record, "Type"), Text(record, "SetIdentifier"));

    private static string Text(XElement of, string name) => of.Element(name)?.Value ?? "";
}

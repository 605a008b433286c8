using System.Globalization;
using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Rds;

/// <summary>A snapshot: what the instance was when it was taken.</summary>
/// <param name="Ready">When it is complete.</param>
internal sealed record StoredSnapshot(string Region, string Identifier, string Instance, StoredDatabase Content, DateTimeOffset Ready, Dictionary<string, string> Tags)
{
    public string Arn => $"arn:aws:rds:{Region}:{AwsStandIn.Account}:snapshot:{Identifier}";

    public bool IsReady(DateTimeOffset now) => Ready <= now;

    public XElement ToXml(DateTimeOffset now) => new("DBSnapshot",
        new XElement("DBSnapshotIdentifier", Identifier),
        new XElement("DBSnapshotArn", Arn),
        new XElement("DBInstanceIdentifier", Instance),
        new XElement("Status", IsReady(now) ? "available" : "creating"),
        new XElement("PercentProgress", IsReady(now) ? 100 : 0),
        new XElement("SnapshotType", "manual"),
        new XElement("Engine", Content.Engine),
        new XElement("EngineVersion", Content.EngineVersion),
        new XElement("AllocatedStorage", Content.Storage),
        new XElement("Encrypted", Content.Encrypted),
        IsReady(now) ? new XElement("SnapshotCreateTime", Ready.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)) : null,
        new XElement("TagList", Tags.Select(tag => new XElement("Tag", new XElement("Key", tag.Key), new XElement("Value", tag.Value)))));
}

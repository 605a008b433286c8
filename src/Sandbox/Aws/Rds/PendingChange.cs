using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Rds;

/// <summary>What was asked for and is not carried out yet; null stays as it is.</summary>
internal sealed record PendingChange(string? Class, string? EngineVersion, int? Storage, int? BackupDays, bool? MultipleZones)
{
    public XElement ToXml() => new("PendingModifiedValues",
        Class is null ? null : new XElement("DBInstanceClass", Class),
        EngineVersion is null ? null : new XElement("EngineVersion", EngineVersion),
        Storage is null ? null : new XElement("AllocatedStorage", Storage),
        BackupDays is null ? null : new XElement("BackupRetentionPeriod", BackupDays),
        MultipleZones is null ? null : new XElement("MultiAZ", MultipleZones));
}

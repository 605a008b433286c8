using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Rds;

/// <summary>The classes that there are for PostgreSQL, the same in every region and for every version.</summary>
internal static class RdsOffers
{
    private static readonly string[] Families = ["t3", "t4g", "m5", "m6g", "m6i", "m7g", "r5", "r6g", "r6i", "r7g"], Sizes = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"], Burstable = ["micro", "small", "medium", "large", "xlarge", "2xlarge"];

    public static XElement Describe(AwsCall call)
    {
        var (engine, version, only, _, _) = (call.Required("Engine"), call.Text("EngineVersion") ?? "16.4", call.Text("DBInstanceClass"), call.Number("MaxRecords"), call.Text("Marker"));
        call.NothingElse();
        return call.Answer(new XElement("OrderableDBInstanceOptions",
            from family in Families
            from size in family[0] == 't' ? Burstable : Sizes
            let name = $"db.{family}.{size}"
            where engine == "postgres" && (only ?? name) == name
            select new XElement("OrderableDBInstanceOption", new XElement("Engine", engine), new XElement("EngineVersion", version), new XElement("DBInstanceClass", name))));
    }
}

using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace PlatformOps.Sandbox.Aws.Route53;

/// <summary>The operations of Route 53.</summary>
/// <param name="lag">How long new records are missing from lists.</param>
internal sealed class Route53Calls(AwsStorage storage, TimeProvider time, double scale, TimeSpan lag)
{
    private const int PageSize = 300;

    private static readonly TimeSpan Spreading = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly Kept<Route53State> state = new(storage, "route53");

    /// <summary>For faults: <c>POST hostedzone/Z1/rrset</c>.</summary>
    public static string Operation(HttpRequest request) => $"{request.Method} {request.Path.Value!.TrimStart('/').Split('/', 2)[^1]}";

    /// <summary>A zone that was there before; once.</summary>
    public void AddZone(string name)
    {
        lock (gate)
        {
            if (state.Value.Zones.Values.All(zone => zone.Name != RecordChanges.Dotted(name)))
                Add(new() { Name = RecordChanges.Dotted(name), Reference = name });
            state.Write();
        }
    }

    public async Task<AwsAnswer> CarryOutAsync(HttpRequest request)
    {
        using var reader = new StreamReader(request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync(request.HttpContext.RequestAborted);
        lock (gate)
        {
            var answer = CarryOut(request, body.Length == 0 ? null : Parsed(body));
            state.Write();
            return answer;
        }
    }

    private AwsAnswer CarryOut(HttpRequest request, XElement? body) => (request.Method, request.Path.Value!.Trim('/').Split('/')[1..]) switch
    {
        ("POST", ["hostedzone"]) when body is not null => Create(body),
        ("GET", ["hostedzone"]) => Ok("ListHostedZonesResponse", Zones(""), new XElement("IsTruncated", false), new XElement("MaxItems", 100)),
        ("GET", ["hostedzonesbyname"]) => Ok("ListHostedZonesByNameResponse", Zones(request.Query["dnsname"].ToString()), new XElement("IsTruncated", false)),
        ("GET", ["hostedzone", var id]) => Ok("GetHostedZoneResponse", Zone(id).ToXml(id)),
        ("DELETE", ["hostedzone", var id]) => Delete(id),
        ("GET", ["hostedzone", var id, "rrset"]) => List(request, Zone(id)),
        ("POST", ["hostedzone", var id, "rrset"]) when body is not null => Change(Zone(id), body),
        ("GET", ["change", var id]) => Ok("GetChangeResponse", ChangeInfo(id)),
        ("GET", ["tags", "hostedzone", var id]) => Tags(id),
        ("POST", ["tags", "hostedzone", var id]) when body is not null => SetTags(Zone(id), body),
        _ => throw new AwsFailure(501, "NotImplemented", $"The sandbox does not know {Operation(request)} of Route 53."),
    };

    private AwsAnswer Create(XElement body)
    {
        var (name, reference) = (RecordChanges.Dotted(Value(body, "Name")), Value(body, "CallerReference"));
        if (state.Value.Zones.Values.Any(zone => zone.Reference == reference))
            throw new AwsFailure(409, "HostedZoneAlreadyExists", "A hosted zone has already been created with the specified caller reference.");
        var (id, zone) = Add(new()
        {
            Name = name,
            Reference = reference,
            Comment = body.Descendants("Comment").FirstOrDefault()?.Value ?? "",
            Private = body.Descendants("PrivateZone").FirstOrDefault()?.Value == "true",
        });
        return Ok("CreateHostedZoneResponse", zone.ToXml(id), Begin(), new XElement("DelegationSet", new XElement("NameServers", new XElement("NameServer", "ns-1.sandbox.example")))) with { Status = 201 };
    }

    private (string Id, StoredZone Zone) Add(StoredZone zone)
    {
        var id = $"Z{Guid.NewGuid():N}"[..14].ToUpperInvariant();
        Put(zone, "NS", 172800, "ns-1.sandbox.example.", "ns-2.sandbox.example.");
        Put(zone, "SOA", 900, "ns-1.sandbox.example. hostmaster.sandbox.example. 1 7200 900 1209600 86400");
        state.Value.Zones.Add(id, zone);
        return (id, zone);
    }

    private AwsAnswer Delete(string id)
    {
        if (Zone(id).Records.Count > 2)
            throw new AwsFailure(400, "HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.");
        state.Value.Zones.Remove(id);
        return Ok("DeleteHostedZoneResponse", Begin());
    }

    private XElement Zones(string from) => new("HostedZones", state.Value.Zones.Where(zone => string.CompareOrdinal(zone.Value.Name, from) >= 0)
        .OrderBy(zone => zone.Value.Name, StringComparer.Ordinal).Select(zone => zone.Value.ToXml(zone.Key)));

    private AwsAnswer List(HttpRequest request, StoredZone zone)
    {
        var start = request.Query["name"].ToString() is { Length: > 0 } name
            ? new RecordName(RecordChanges.Dotted(name), request.Query["type"].ToString(), request.Query["identifier"].ToString()).ToString() : "";
        var found = zone.Records.Where(record => !zone.Came.TryGetValue(record.Key, out var came) || came + lag <= time.GetUtcNow()).OrderBy(record => record.Key, StringComparer.Ordinal).Where(record => string.CompareOrdinal(record.Key, start) >= 0)
            .Take(PageSize + 1).Select(record => XElement.Parse(record.Value)).ToList();
        var answer = Ok("ListResourceRecordSetsResponse",
            new XElement("ResourceRecordSets", found.Take(PageSize)), new XElement("IsTruncated", found.Count > PageSize), new XElement("MaxItems", PageSize));
        if (found.Count > PageSize && RecordName.Of(found[^1]) is var next)
            answer.Xml!.Add(new XElement("NextRecordName", next.Name), new XElement("NextRecordType", next.Type), next.Set.Length > 0 ? new XElement("NextRecordIdentifier", next.Set) : null);
        return answer;
    }

    private AwsAnswer Change(StoredZone zone, XElement body)
    {
        var before = zone.Records.Keys.ToHashSet();
        RecordChanges.CarryOut(zone, body);
        foreach (var gone in before.Where(key => !zone.Records.ContainsKey(key)))
            zone.Came.Remove(gone);
        foreach (var came in zone.Records.Keys.Where(key => !before.Contains(key)))
            zone.Came[came] = time.GetUtcNow();
        return Ok("ChangeResourceRecordSetsResponse", Begin());
    }

    private AwsAnswer Tags(string id) => Ok("ListTagsForResourceResponse", new XElement("ResourceTagSet", new XElement("ResourceType", "hostedzone"), new XElement("ResourceId", id),
        new XElement("Tags", Zone(id).Tags.Select(tag => new XElement("Tag", new XElement("Key", tag.Key), new XElement("Value", tag.Value))))));

    private static AwsAnswer SetTags(StoredZone zone, XElement body)
    {
        foreach (var tag in body.Descendants("Tag"))
            zone.Tags[Value(tag, "Key")] = tag.Element("Value")?.Value ?? "";
        foreach (var key in body.Descendants("RemoveTagKeys").Elements())
            zone.Tags.Remove(key.Value);
        return Ok("ChangeTagsForResourceResponse");
    }

    private XElement Begin()
    {
        var id = $"C{Guid.NewGuid():N}"[..14].ToUpperInvariant();
        state.Value.Changes[id] = time.GetUtcNow() + (Spreading * scale);
        return ChangeInfo(id);
    }

    private XElement ChangeInfo(string id) => state.Value.Changes.TryGetValue(id, out var spread)
        ? new("ChangeInfo", new XElement("Id", $"/change/{id}"), new XElement("Status", spread <= time.GetUtcNow() ? "INSYNC" : "PENDING"),
            new XElement("SubmittedAt", time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)))
        : throw new AwsFailure(404, "NoSuchChange", $"Could not find resource with ID: {id}");

    private StoredZone Zone(string id) => state.Value.Zones.GetValueOrDefault(id) ?? throw new AwsFailure(404, "NoSuchHostedZone", $"No hosted zone found with ID: {id}");

    private static void Put(StoredZone zone, string type, int ttl, params string[] values)
    {
        var record = new XElement("ResourceRecordSet", new XElement("Name", zone.Name), new XElement("Type", type), new XElement("TTL", ttl),
            new XElement("ResourceRecords", values.Select(value => new XElement("ResourceRecord", new XElement("Value", value)))));
        zone.Records[RecordName.Of(record).ToString()] = record.ToString(SaveOptions.DisableFormatting);
    }

    private static AwsAnswer Ok(string name, params XElement[] members) => new(Xml: new(name, members.Cast<object>().ToArray()));

    /// <summary>Without namespaces: their names are all that is looked at.</summary>
    private static XElement Parsed(string body)
    {
        try
        {
            var root = XElement.Parse(body);
            foreach (var element in root.DescendantsAndSelf())
            {
                element.Name = element.Name.LocalName;
                element.Attributes().Where(attribute => attribute.IsNamespaceDeclaration).Remove();
            }

            return root;
        }
        catch (XmlException)
        {
            throw new AwsFailure(400, "InvalidInput", "The body is no XML");
        }
    }

    private static string Value(XElement of, string name) => of.Element(name)?.Value ?? throw new AwsFailure(400, "InvalidInput", $"{name} is missing");
}

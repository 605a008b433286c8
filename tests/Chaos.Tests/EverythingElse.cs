using System.Xml.Linq;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Cloudflare;
using PlatformOps.Platform.Provisioning;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;

namespace PlatformOps.Chaos.Tests;

/// <summary>Lists what is in AWS, at Cloudflare and in the platform's own Temporal, without the product's code. Nothing but ours is there.</summary>
/// <param name="temporals">Where each region's Temporal answers, whatever its cluster has before it.</param>
internal sealed class EverythingElse(PlatformConnections connections, IReadOnlyDictionary<string, string> temporals)
{
    private const string OfTheServer = "temporal-system";

    private static readonly string[] OfTheZone = ["NS", "SOA"];

    /// <summary>An object as it is found: a DNS record is two, itself and the TXT record that says whose it is; neither knows its object's name.</summary>
    public static IEnumerable<string> Texts(ResourceAddress address) => address.Kind == "DnsRecord"
        ? [$"{address.ApiVersion} DnsRecord CNAME", $"{address.ApiVersion} DnsRecord TXT"]
        : [Text(address)];

    public static string Text(ResourceAddress address) => $"{address.ApiVersion} {address}";

    /// <summary>Everything, each as often as it is there.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken ct)
    {
        var found = new List<string>();
        foreach (var (region, how) in connections.Regions.Where(entry => entry.Value.Context is not null))
        {
            if (how.Aws?.CredentialsFile is not null)
                found.AddRange(await DatabasesAsync(region, how.Aws, ct));
            found.AddRange(await NamespacesAsync(region, temporals[region]));
        }

        var first = connections.Regions.Values.First();
        if (first.Aws is { CredentialsFile: not null } aws)
        {
            found.AddRange(await BucketsAsync(aws, ct));
            found.AddRange((await Route53Async(aws, ct)).Select(type => $"{ResourceAddress.AwsApiVersion} DnsRecord {type}"));
        }

        if (first.External.GetValueOrDefault("cloudflare") is { } cloudflare)
            found.AddRange((await CloudflareAsync(cloudflare, ct)).Select(type => $"{CloudflareObjects.ApiVersion} DnsRecord {type}"));
        return found;
    }

    private static async Task<IEnumerable<string>> DatabasesAsync(string region, AwsSettings aws, CancellationToken ct)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["Action"] = "DescribeDBInstances", ["Version"] = "2014-10-31" });
        var answer = await AwsWire.AskAsync(aws, HttpMethod.Post, "/", region, "rds", form, ct);
        return Values(answer, "DBInstanceIdentifier").Select(name => Text(new(region, ResourceAddress.AwsApiVersion, "DatabaseInstance", null, name)));
    }

    private static async Task<IEnumerable<string>> BucketsAsync(AwsSettings aws, CancellationToken ct)
    {
        var answer = await AwsWire.AskAsync(aws, HttpMethod.Get, "/", "us-east-1", "s3", null, ct);
        return answer.Descendants().Where(element => element.Name.LocalName == "Bucket").Select(bucket => Text(
            new(Values(bucket, "BucketRegion").Single(), ResourceAddress.AwsApiVersion, "Bucket", null, Values(bucket, "Name").Single())));
    }

    private static async Task<IEnumerable<string>> Route53Async(AwsSettings aws, CancellationToken ct)
    {
        var types = new List<string>();
        foreach (var zone in Values(await AwsWire.AskAsync(aws, HttpMethod.Get, "/2013-04-01/hostedzone", "us-east-1", "route53", null, ct), "Id"))
            types.AddRange(Values(await AwsWire.AskAsync(aws, HttpMethod.Get, $"/2013-04-01/hostedzone/{zone[(zone.LastIndexOf('/') + 1)..]}/rrset", "us-east-1", "route53", null, ct), "Type"));
        return types.Where(type => !OfTheZone.Contains(type));
    }

    private static async Task<IEnumerable<string>> CloudflareAsync(ExternalAccess cloudflare, CancellationToken ct)
    {
        using var wire = await CloudflareWire.OpenAsync(cloudflare, ct);
        return (await wire.RecordsAsync(ct)).Select(record => (string)record.Record["type"]!);
    }

    /// <summary>The namespaces, and executions in them: there should be none.</summary>
    private static async Task<IEnumerable<string>> NamespacesAsync(string region, string frontend)
    {
        var found = new List<string>();
        var client = await TemporalClient.ConnectAsync(new(frontend));
        foreach (var space in (await client.WorkflowService.ListNamespacesAsync(new ListNamespacesRequest())).Namespaces.Select(space => space.NamespaceInfo.Name).Where(name => name != OfTheServer))
        {
            found.Add(Text(new(region, ResourceAddress.TemporalApiVersion, "TemporalNamespace", null, space)));
            var executions = await client.WorkflowService.ListWorkflowExecutionsAsync(new ListWorkflowExecutionsRequest { Namespace = space });
            found.AddRange(executions.Executions.Select(execution => $"{region} {space} execution {execution.Execution.WorkflowId}"));
        }

        return found;
    }

    private static IEnumerable<string> Values(XElement of, string name) => of.Descendants().Where(element => element.Name.LocalName == name).Select(element => element.Value);
}

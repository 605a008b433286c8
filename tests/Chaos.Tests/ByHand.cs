using System.Net.Http.Headers;
using System.Text;
using System.Xml.Linq;
using PlatformOps.Adapters;
using PlatformOps.Sandbox;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;

namespace PlatformOps.Chaos.Tests;

/// <summary>Changes what the small environment consists of as somebody does who does not know the product: one thing in every system.</summary>
internal static class ByHand
{
    private const string Region = "us-east-1";

    public static async Task ChangeEverythingAsync(ChaosPlatform platform, CancellationToken ct)
    {
        var how = platform.Connections.Regions[Region];
        await LogMoreAsync(platform.Stack.Regions.Single(region => region.Name == Region), ct);
        await AwsWire.SendAsync(how.Aws!, HttpMethod.Delete, $"/small-production-backups-{Region}?lifecycle", Region, "s3", null, ct);
        using var database = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["Action"] = "ModifyDBInstance",
            ["Version"] = "2014-10-31",
            ["DBInstanceIdentifier"] = "small-production",
            ["BackupRetentionPeriod"] = "3",
            ["ApplyImmediately"] = "true",
        });
        await AwsWire.SendAsync(how.Aws!, HttpMethod.Post, "/", Region, "rds", database, ct);
        await KeepAnswersAsync(how.Aws!, ct);
        await LeadElsewhereAsync(how.External["cloudflare"], ct);
        var temporal = await TemporalClient.ConnectAsync(new(platform.Stack.Temporals[Region]));
        await temporal.WorkflowService.UpdateNamespaceAsync(new UpdateNamespaceRequest { Namespace = "orders", UpdateInfo = new() { Description = "Changed by hand" } });
    }

    private static async Task LogMoreAsync(SandboxRegion region, CancellationToken ct)
    {
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var client = new HttpClient(handler) { BaseAddress = region.ApiServer };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", region.Kubeconfig.Split("token: \"")[1].Split('"')[0]);
        using var patch = new StringContent("""{"data": {"level": "debug"}}""", Encoding.UTF8, "application/merge-patch+json");
        using var answer = await client.PatchAsync(new Uri("/api/v1/namespaces/temporal-backend/configmaps/frontend?fieldManager=somebody", UriKind.Relative), patch, ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(ct));
        using var gone = await client.DeleteAsync(new Uri("/api/v1/namespaces/temporal-backend/secrets/frontend-login", UriKind.Relative), ct);
        Assert.True(gone.IsSuccessStatusCode, await gone.Content.ReadAsStringAsync(ct));
        // Without it there seem to be no Temporal namespaces.
        using var service = await client.DeleteAsync(new Uri("/api/v1/namespaces/temporal-backend/services/temporal-frontend", UriKind.Relative), ct);
        Assert.True(service.IsSuccessStatusCode, await service.Content.ReadAsStringAsync(ct));
    }

    private static async Task KeepAnswersAsync(AwsSettings aws, CancellationToken ct)
    {
        var zone = (await AwsWire.AskAsync(aws, HttpMethod.Get, "/2013-04-01/hostedzone", Region, "route53", null, ct)).Descendants().First(element => element.Name.LocalName == "Id").Value;
        var path = $"/2013-04-01/hostedzone/{zone[(zone.LastIndexOf('/') + 1)..]}/rrset";
        var record = (await AwsWire.AskAsync(aws, HttpMethod.Get, path, Region, "route53", null, ct)).Descendants().First(
            element => element.Name.LocalName == "ResourceRecordSet" && element.Elements().Any(field => field is { Name.LocalName: "Type", Value: "CNAME" }));
        record.Elements().Single(field => field.Name.LocalName == "TTL").Value = "9";
        var name = record.Name.Namespace;
        var change = new XElement(name + "ChangeResourceRecordSetsRequest", new XElement(name + "ChangeBatch", new XElement(name + "Changes", new XElement(
            name + "Change", new XElement(name + "Action", "UPSERT"), record))));
        using var body = new StringContent(change.ToString(), Encoding.UTF8, "application/xml");
        await AwsWire.SendAsync(aws, HttpMethod.Post, path, Region, "route53", body, ct);
    }

    private static async Task LeadElsewhereAsync(ExternalAccess cloudflare, CancellationToken ct)
    {
        using var wire = await CloudflareWire.OpenAsync(cloudflare, ct);
        var (zone, record) = (await wire.RecordsAsync(ct)).Single(found => (string?)found.Record["type"] == "CNAME");
        record["content"] = "elsewhere.example.com";
        await wire.PutAsync(zone, record, ct);
    }
}

using Amazon.Runtime;
using PlatformOps.Adapters.Aws.Sdk.Route53.Model;

namespace PlatformOps.Adapters.Aws.Sdk.Route53;

/// <summary>Route 53, as much as we call. Operations, types and members are named as in the package AWSSDK.Route53, which can replace this folder.</summary>
internal sealed class AmazonRoute53Client(AWSCredentials? credentials, AwsServiceConfig config) : AwsServiceClient(credentials, config)
{
    private const string Root = "/2013-04-01";
    private const string Space = "https://route53.amazonaws.com/doc/2013-04-01/";

    public Task<CreateHostedZoneResponse> CreateHostedZoneAsync(CreateHostedZoneRequest request, CancellationToken cancellationToken = default) =>
        RestAsync<CreateHostedZoneResponse>(request, new("POST", $"{Root}/hostedzone", Space), cancellationToken);

    public Task<GetHostedZoneResponse> GetHostedZoneAsync(GetHostedZoneRequest request, CancellationToken cancellationToken = default) =>
        RestAsync<GetHostedZoneResponse>(request, new("GET", $"{Root}/hostedzone/{Id(request.Id)}"), cancellationToken);

    public Task<DeleteHostedZoneResponse> DeleteHostedZoneAsync(DeleteHostedZoneRequest request, CancellationToken cancellationToken = default) =>
        RestAsync<DeleteHostedZoneResponse>(request, new("DELETE", $"{Root}/hostedzone/{Id(request.Id)}"), cancellationToken);

    public Task<ListHostedZonesResponse> ListHostedZonesAsync(ListHostedZonesRequest request, CancellationToken cancellationToken = default) =>
        RestAsync<ListHostedZonesResponse>(request, new("GET", $"{Root}/hostedzone")
        {
            Query = new Dictionary<string, string?> { ["marker"] = request.Marker, ["maxitems"] = request.MaxItems },
        }, cancellationToken);

    public Task<ListHostedZonesByNameResponse> ListHostedZonesByNameAsync(ListHostedZonesByNameRequest request, CancellationToken cancellationToken = default) =>
        RestAsync<ListHostedZonesByNameResponse>(request, new("GET", $"{Root}/hostedzonesbyname")
        {
            Query = new Dictionary<string, string?> { ["dnsname"] = request.DNSName, ["hostedzoneid"] = request.HostedZoneId, ["maxitems"] = request.MaxItems },
        }, cancellationToken);

    public Task<ChangeResourceRecordSetsResponse> ChangeResourceRecordSetsAsync(ChangeResourceRecordSetsRequest request, CancellationToken cancellationToken = default) =>
        RestAsync<ChangeResourceRecordSetsResponse>(request, new("POST", $"{Root}/hostedzone/{Id(request.HostedZoneId)}/rrset", Space), cancellationToken);

    public Task<ListResourceRecordSetsResponse> ListResourceRecordSetsAsync(ListResourceRecordSetsRequest request, CancellationToken cancellationToken = default) =>
        RestAsync<ListResourceRecordSetsResponse>(request, new("GET", $"{Root}/hostedzone/{Id(request.HostedZoneId)}/rrset")
        {
            Query = new Dictionary<string, string?> { ["name"] = request.StartRecordName, ["type"] = request.StartRecordType, ["identifier"] = request.StartRecordIdentifier },
        }, cancellationToken);

    public Task<GetChangeResponse> GetChangeAsync(GetChangeRequest request, CancellationToken cancellationToken = default) =>
        RestAsync<GetChangeResponse>(request, new("GET", $"{Root}/change/{Id(request.Id)}"), cancellationToken);

    public Task<ChangeTagsForResourceResponse> ChangeTagsForResourceAsync(ChangeTagsForResourceRequest request, CancellationToken cancellationToken = default) =>
        RestAsync<ChangeTagsForResourceResponse>(request, new("POST", $"{Root}/tags/{request.ResourceType}/{Id(request.ResourceId)}", Space), cancellationToken);

    public Task<ListTagsForResourceResponse> ListTagsForResourceAsync(ListTagsForResourceRequest request, CancellationToken cancellationToken = default) =>
        RestAsync<ListTagsForResourceResponse>(request, new("GET", $"{Root}/tags/{request.ResourceType}/{Id(request.ResourceId)}"), cancellationToken);

    /// <summary>Answers say <c>/hostedzone/Z1</c> and <c>/change/C1</c>, addresses want <c>Z1</c> and <c>C1</c>.</summary>
    private static string Id(string? id) => Uri.EscapeDataString(id?[(id.LastIndexOf('/') + 1)..] ?? "");
}

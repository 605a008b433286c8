using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Endpoint = Amazon.Runtime.Endpoints.Endpoint;

namespace PlatformOps.Adapters.Aws.Sdk;

/// <summary>Configuration of a service whose package is not in use: its address and the scope of its signatures.</summary>
internal sealed class AwsServiceConfig : ClientConfig
{
    /// <summary>Route 53 and IAM are one service each for the whole partition, signed for this region.</summary>
    private const string GlobalRegion = "us-east-1";

    private readonly string service;

    /// <param name="service">As in its address and signatures: <c>rds</c>.</param>
    /// <param name="name">As AWS calls it: <c>RDS</c>.</param>
    /// <param name="endpoint">Null: AWS.</param>
    public AwsServiceConfig(string service, string name, string region, Uri? endpoint)
        : base(new DefaultConfigurationProvider([new DefaultConfiguration { Name = DefaultConfigurationMode.Standard, RetryMode = RequestRetryMode.Standard }]))
    {
        this.service = service;
        ServiceId = name;
        AuthenticationServiceName = service;
        AuthenticationRegion = IsGlobal(service) ? GlobalRegion : region;
        if (endpoint is null)
            (RegionEndpoint, IgnoreConfiguredEndpointUrls) = (RegionEndpoint.GetBySystemName(AuthenticationRegion), true);
        else
            ServiceURL = endpoint.ToString();
    }

    public string Address => AddressIn(AuthenticationRegion);

    public override string ServiceVersion => "";

    public override string UserAgent => "platformops";

    public override string RegionEndpointServiceName => service;

    public override Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters) => new(Address);

    /// <summary>Where the service answers for another region.</summary>
    public string AddressIn(string region) => ServiceURL ?? $"https://{Host(region)}";

    private static bool IsGlobal(string service) => service is "route53" or "iam";

    private string Host(string region)
    {
        var suffix = RegionEndpoint.GetBySystemName(region).PartitionDnsSuffix;
        return IsGlobal(service) ? $"{service}.{suffix}" : $"{service}.{region}.{suffix}";
    }
}

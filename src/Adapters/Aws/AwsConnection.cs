using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using PlatformOps.Adapters.Aws.Sdk;
using PlatformOps.Adapters.Aws.Sdk.IdentityManagement;
using PlatformOps.Adapters.Aws.Sdk.RDS;
using PlatformOps.Adapters.Aws.Sdk.Route53;
using PlatformOps.Adapters.Aws.Sdk.SecurityToken;

namespace PlatformOps.Adapters.Aws;

/// <summary>The AWS APIs of one region: one client for each service, without retries, and every failure in our words.</summary>
public sealed class AwsConnection : IDisposable
{
    private readonly AwsFailures failures;
    private readonly AWSCredentials? credentials;
    private readonly Lazy<AmazonS3Client> s3;
    private readonly Lazy<AmazonRDSClient> rds;
    private readonly Lazy<AmazonRoute53Client> route53;
    private readonly Lazy<AmazonSecurityTokenServiceClient> tokens;
    private readonly Lazy<AmazonIdentityManagementServiceClient> identities;

    /// <summary>Nothing is called yet.</summary>
    public AwsConnection(AwsAccess access)
    {
        Access = access;
        failures = new(access);
        credentials = access.Keys switch
        {
            null => null,
            { SessionToken: { } token } keys => new SessionAWSCredentials(keys.AccessKeyId, keys.SecretAccessKey, token),
            var keys => new BasicAWSCredentials(keys.AccessKeyId, keys.SecretAccessKey),
        };
        s3 = new(() => credentials is null ? new(S3Config()) : new(credentials, S3Config()));
        rds = new(() => new(credentials, Config("rds", "RDS")));
        route53 = new(() => new(credentials, Config("route53", "Route 53")));
        tokens = new(() => new(credentials, Config("sts", "STS")));
        identities = new(() => new(credentials, Config("iam", "IAM")));
    }

    public AwsAccess Access { get; }

    public string Region => Access.Region;

    internal AmazonS3Client S3 => s3.Value;

    internal AmazonRDSClient Rds => rds.Value;

    internal AmazonRoute53Client Route53 => route53.Value;

    internal AmazonSecurityTokenServiceClient Tokens => tokens.Value;

    internal AmazonIdentityManagementServiceClient Identities => identities.Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var client in new[] { Started(s3), Started(rds), Started(route53), Started(tokens), Started(identities) })
            client?.Dispose();
    }

    /// <summary>Calls, within the deadline.</summary>
    /// <param name="verb">For messages: <c>create</c>.</param>
    /// <param name="subject">For messages: <c>database instance orders</c>.</param>
    /// <param name="secret">A value that was sent and must not come back in a message.</param>
    /// <exception cref="AdapterException">Whatever went wrong.</exception>
    internal async Task<T> CallAsync<T>(string verb, string subject, Func<CancellationToken, Task<T>> call, CancellationToken ct, string? secret = null)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(Access.CallTimeout);
        try
        {
            return await call(deadline.Token);
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            throw failures.Of(verb, subject, failure, secret);
        }
    }

    /// <summary>Like <see cref="CallAsync{T}"/>; null when it does not exist.</summary>
    internal async Task<T?> FindAsync<T>(string subject, Func<CancellationToken, Task<T>> call, CancellationToken ct)
        where T : class
    {
        try
        {
            return await CallAsync("read", subject, call, ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Missing)
        {
            return null;
        }
    }

    /// <summary>It exists and belongs to somebody else.</summary>
    internal AdapterException Foreign(string subject, string why) => failures.Foreign(subject, why);

    private static IDisposable? Started<T>(Lazy<T> client)
        where T : class, IDisposable => client.IsValueCreated ? client.Value : null;

    private AwsServiceConfig Config(string service, string name)
    {
        var config = new AwsServiceConfig(service, name, Access.Region, Access.Endpoint);
        WithoutRetries(config);
        return config;
    }

    private AmazonS3Config S3Config()
    {
        var config = new AmazonS3Config();
        if (Access.Endpoint is { } endpoint)
            // Another server has one name, not one per bucket.
            (config.ServiceURL, config.ForcePathStyle, config.AuthenticationRegion) = (endpoint.ToString(), true, Access.Region);
        else
            (config.RegionEndpoint, config.IgnoreConfiguredEndpointUrls) = (RegionEndpoint.GetBySystemName(Access.Region), true);
        WithoutRetries(config);
        return config;
    }

    /// <summary>Retries live in Temporal only: a call that the SDK repeats behind our back hides trouble and breaks deadlines.</summary>
    private void WithoutRetries(ClientConfig config)
    {
        config.MaxErrorRetry = 0;
        // By default a connection that breaks is taken for a stale one, and a creation is sent again unseen.
        config.MaxStaleConnectionRetries = 0;
        config.ThrottleRetries = false;
        config.Timeout = Access.CallTimeout;
        config.ConnectTimeout = TimeSpan.FromSeconds(5);
        config.AllowAutoRedirect = false;
    }
}

using System.Globalization;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;
using Amazon.Runtime.Internal.Util;

namespace PlatformOps.Adapters.Aws.Sdk;

/// <summary>A call that reads from another region.</summary>
internal interface IFromAnotherRegion
{
    /// <summary>The region that is read from; null: our own.</summary>
    string? SourceRegion { get; }
}

/// <summary>Gives a call that reads from another region the second, signed call that the source's region asks for (<c>PreSignedUrl</c>).</summary>
internal sealed class CrossRegionSignature : PipelineHandler
{
    /// <summary>The services' own limit is an hour.</summary>
    private const string ExpiresAfterSeconds = "3600";

    public override void InvokeSync(IExecutionContext executionContext)
    {
        Sign(executionContext.RequestContext);
        base.InvokeSync(executionContext);
    }

    public override Task<T> InvokeAsync<T>(IExecutionContext executionContext)
    {
        Sign(executionContext.RequestContext);
        return base.InvokeAsync<T>(executionContext);
    }

    private static void Sign(IRequestContext context)
    {
        var config = (AwsServiceConfig)context.ClientConfig;
        if (context.OriginalRequest is not IFromAnotherRegion { SourceRegion: { } source } || source == config.AuthenticationRegion || context.Identity is not AWSCredentials credentials)
            return;
        var keys = credentials.GetCredentials();
        var request = new DefaultRequest(context.OriginalRequest, config.AuthenticationServiceName)
        {
            HttpMethod = "GET",
            ResourcePath = "/",
            UseQueryString = true,
            Endpoint = new Uri(config.AddressIn(source)),
        };
        foreach (var (name, value) in context.Request.Parameters)
            request.Parameters.Add(name, value);
        request.Parameters["DestinationRegion"] = config.AuthenticationRegion;
        request.Parameters["X-Amz-Expires"] = ExpiresAfterSeconds;
        if (keys.UseToken)
            request.Parameters["X-Amz-Security-Token"] = keys.Token;
        var signature = AWS4PreSignedUrlSigner.SignRequest(request, config, new RequestMetrics(), keys.AccessKey, keys.SecretKey, config.AuthenticationServiceName, source);
        context.Request.Parameters["PreSignedUrl"] = string.Create(CultureInfo.InvariantCulture, $"{AmazonServiceClient.ComposeUrl(request).AbsoluteUri}&{signature.ForQueryParameters}");
    }
}

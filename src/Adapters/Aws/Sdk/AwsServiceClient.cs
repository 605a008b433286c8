using Amazon.Runtime;
using Amazon.Runtime.Credentials.Internal;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;
using Endpoint = Amazon.Runtime.Endpoints.Endpoint;

namespace PlatformOps.Adapters.Aws.Sdk;

/// <summary>A client of one AWS service on the SDK's own pipeline: its chain of credentials, signatures, clock correction and connections.
/// Subclasses have the operations and types of the service's own package, so that the package can take their place.</summary>
internal abstract class AwsServiceClient : AmazonServiceClient
{
    private readonly AwsServiceConfig config;

    protected AwsServiceClient(AWSCredentials? credentials, AwsServiceConfig config)
        : base(credentials, config) => this.config = config;

    protected override IServiceMetadata ServiceMetadata { get; } = new Metadata();

    /// <summary>Calls an operation of the Query protocol: form parameters in, XML out.</summary>
    protected Task<TResponse> QueryAsync<TResponse>(AmazonWebServiceRequest request, string version, CancellationToken ct)
        where TResponse : AmazonWebServiceResponse, new() => InvokeAsync<TResponse>(
            request,
            new InvokeOptions { RequestMarshaller = new QueryMarshaller(config.AuthenticationServiceName, version), ResponseUnmarshaller = new XmlAnswer<TResponse>() },
            ct);

    /// <summary>Calls an operation of the REST-XML protocol.</summary>
    protected Task<TResponse> RestAsync<TResponse>(AmazonWebServiceRequest request, RestCall call, CancellationToken ct)
        where TResponse : AmazonWebServiceResponse, new() => InvokeAsync<TResponse>(
            request,
            new InvokeOptions { RequestMarshaller = new RestMarshaller(config.AuthenticationServiceName, call), ResponseUnmarshaller = new XmlAnswer<TResponse>() },
            ct);

    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        pipeline.RemoveHandler<EndpointResolver>();
        pipeline.AddHandlerAfter<Marshaller>(new FixedEndpoint());
        pipeline.AddHandlerAfter<FixedEndpoint>(new SignatureVersion4());
        pipeline.AddHandlerAfter<SignatureVersion4>(new CrossRegionSignature());
    }

    private sealed class Metadata : IServiceMetadata
    {
        public string ServiceId => "platformops";

        public IDictionary<string, string> OperationNameMapping { get; } = new Dictionary<string, string>();
    }

    private sealed class FixedEndpoint : BaseEndpointResolver
    {
        public override Endpoint GetEndpoint(IExecutionContext executionContext) => new(((AwsServiceConfig)executionContext.RequestContext.ClientConfig).Address);

        // The base class would ask a provider of rules, which only the packages have.
        protected override void PreInvoke(IExecutionContext executionContext) =>
            executionContext.RequestContext.Request.Endpoint = new Uri(((AwsServiceConfig)executionContext.RequestContext.ClientConfig).Address);
    }

    private sealed class SignatureVersion4 : BaseAuthResolverHandler
    {
        protected override List<IAuthSchemeOption> ResolveAuthOptions(IExecutionContext executionContext) => [new AuthSchemeOption { SchemeId = "aws.auth#sigv4" }];
    }
}

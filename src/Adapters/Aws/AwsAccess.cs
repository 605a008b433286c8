namespace PlatformOps.Adapters.Aws;

/// <summary>How the AWS APIs of one region are reached.</summary>
public sealed record AwsAccess
{
    /// <summary>The variable that the AWS command line and SDKs read for another server than AWS.</summary>
    public const string EndpointVariable = "AWS_ENDPOINT_URL";

    /// <summary>For example <c>us-east-1</c>.</summary>
    public required string Region { get; init; }

    /// <summary>A server that speaks all APIs, instead of AWS. Null: AWS.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>Null: the SDK's chain (environment, profile, web identity, container, instance role).</summary>
    public AwsKeys? Keys { get; init; }

    /// <summary>For one call, from its start to the end of its answer. Default 30 seconds.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The region as this process's environment says: <see cref="EndpointVariable"/> and the SDK's chain of credentials.</summary>
    /// <exception cref="AdapterException">The variable holds no address.</exception>
    public static AwsAccess FromEnvironment(string region) => new() { Region = region, Endpoint = EndpointOfEnvironment() };

    private static Uri? EndpointOfEnvironment() => Environment.GetEnvironmentVariable(EndpointVariable) switch
    {
        null or "" => null,
        var text when Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is ("http" or "https") => address,
        var text => throw new AdapterException(AdapterFailureKind.Rejected, $"{EndpointVariable} is \"{text}\": an address such as https://aws.example.com is expected. Correct or unset it."),
    };
}

/// <summary>Credentials. They show themselves as the id only.</summary>
public sealed record AwsKeys(string AccessKeyId, string SecretAccessKey, string? SessionToken = null)
{
    /// <inheritdoc/>
    public override string ToString() => $"access key {AccessKeyId}";
}

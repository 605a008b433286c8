using Amazon.Runtime.CredentialManagement;

namespace PlatformOps.Adapters.Aws;

/// <summary>AWS of one region, as the connections say.</summary>
public static class RegionAws
{
    /// <summary>Nothing is called yet.</summary>
    /// <param name="callTimeout">Default: that of <see cref="AwsAccess.CallTimeout"/>.</param>
    /// <exception cref="AdapterException">What the connections say cannot work.</exception>
    public static AwsConnection Open(PlatformConnections connections, string region, TimeSpan? callTimeout = null)
    {
        var settings = connections.Of(region).Aws ?? new();
        var access = AwsAccess.FromEnvironment(settings.Region ?? region);
        return new(access with { Endpoint = Address(settings.Endpoint, region) ?? access.Endpoint, Keys = Keys(settings, region), CallTimeout = callTimeout ?? access.CallTimeout });
    }

    /// <summary>When the credentials of a region were last written; the same time always when they do not come from a file that the connections name.</summary>
    public static DateTime CredentialsWrittenAt(PlatformConnections connections, string region) =>
        connections.Of(region).Aws?.CredentialsFile is { } file ? File.GetLastWriteTimeUtc(file) : default;

    private static Uri? Address(string? stated, string region)
    {
        if (stated is null)
            return null;
        return Uri.TryCreate(stated, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw new AdapterException(AdapterFailureKind.Rejected, $"regions.{region}.aws.endpoint is '{stated}': http://host:port or https://host:port is expected. Correct the connections file.");
    }

    private static AwsKeys? Keys(AwsSettings settings, string region)
    {
        if (settings.CredentialsFile is not { } file)
            return settings.Profile is null ? null : throw Unusable(region, "profile is stated without credentialsFile");
        var name = settings.Profile ?? "default";
        if (!File.Exists(file))
            throw Unusable(region, $"there is no file {file}");
        if (!new SharedCredentialsFile(file).TryGetProfile(name, out var profile))
            throw Unusable(region, $"{file} has no profile {name}");
        return profile.Options is { AccessKey: { Length: > 0 } id, SecretKey: { Length: > 0 } secret }
            ? new(id, secret, profile.Options.Token is { Length: > 0 } token ? token : null)
            : throw Unusable(region, $"profile {name} of {file} has no aws_access_key_id with aws_secret_access_key");
    }

    private static AdapterException Unusable(string region, string why) => new(
        AdapterFailureKind.Rejected, $"The AWS credentials of {region} cannot be used: {why}. Correct regions.{region}.aws in the connections file.");
}

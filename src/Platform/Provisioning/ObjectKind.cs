namespace PlatformOps.Platform.Provisioning;

/// <summary>A kind of objects.</summary>
/// <param name="ApiVersion">For example <c>apps/v1</c>, or <c>v1</c> for Kubernetes' core.</param>
public sealed record ObjectKind(string ApiVersion, string Kind)
{
    /// <summary>The group whose objects describe services with an API of their own: they are verified, never changed.</summary>
    public const string ExternalApiVersion = "external.platformops.io/v1";

    /// <summary>Whether another system than Kubernetes holds such objects. They have no namespace.</summary>
    public bool OutsideKubernetes => ApiVersion.EndsWith(".platformops.io/v1", StringComparison.Ordinal);

    /// <summary>The API group; empty for Kubernetes' core.</summary>
    public string Group => ApiVersion.Contains('/', StringComparison.Ordinal) ? ApiVersion[..ApiVersion.IndexOf('/', StringComparison.Ordinal)] : "";

    /// <summary>Reads <c>cert-manager.io/v1/Certificate</c>.</summary>
    public static ObjectKind Parse(string text)
    {
        var at = text.LastIndexOf('/');
        return new(text[..at], text[(at + 1)..]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{ApiVersion}/{Kind}";
}

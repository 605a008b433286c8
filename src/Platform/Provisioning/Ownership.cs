namespace PlatformOps.Platform.Provisioning;

/// <summary>How objects say whose they are. Nothing is changed or removed that does not carry these labels.</summary>
public static class Ownership
{
    /// <summary>The server-side-apply field manager of everything we write.</summary>
    public const string FieldManager = "platformops";

    public const string ManagedByLabel = "app.kubernetes.io/managed-by";

    /// <summary>The value of <see cref="ManagedByLabel"/>.</summary>
    public const string ManagedBy = "platformops";

    public const string PlatformLabel = "platformops.io/platform";

    public const string EnvironmentLabel = "platformops.io/environment";

    public const string ComponentLabel = "platformops.io/component";

    /// <summary>Annotation with the operation that created or last changed the object. Not part of any diff.</summary>
    public const string OperationIdAnnotation = "platformops.io/operation-id";

    /// <summary>Annotation with the operation that created the object; rollback removes exactly what carries its own id here.</summary>
    public const string CreatedByAnnotation = "platformops.io/created-by";

    /// <summary>Annotation in which cert-manager names the Certificate that it made a Secret for. Such a Secret has no owner reference, and stays when its Certificate goes.</summary>
    public const string CertificateNameAnnotation = "cert-manager.io/certificate-name";

    /// <summary>Prefix of annotations that record a parameter which may never change, for example <c>immutable.platformops.io/historyShards</c>.</summary>
    public const string ImmutablePrefix = "immutable.platformops.io/";
}

namespace PlatformOps.Activities.Provisioning;

/// <summary>Where a worker finds what it provisions from.</summary>
/// <param name="SpecificationFolder">Holds <c>platform.yaml</c> and <c>environments/</c>.</param>
/// <param name="CatalogFolder">Holds one folder per component; <c>k8s/components</c> of the product.</param>
public sealed record ProvisioningSources(string SpecificationFolder, string CatalogFolder);

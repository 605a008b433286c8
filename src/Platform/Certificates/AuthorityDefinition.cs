namespace PlatformOps.Platform.Certificates;

/// <summary>A certificate authority in Vault, as the catalog declares it.</summary>
/// <param name="Name">What operators call it; unique in the catalog.</param>
/// <param name="Mount">Where its engine is mounted in Vault.</param>
/// <param name="PerMinute">How many certificates it may be asked for in any minute.</param>
public sealed record AuthorityDefinition(string Name, string Mount, int PerMinute);

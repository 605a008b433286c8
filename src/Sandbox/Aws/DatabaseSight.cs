namespace PlatformOps.Sandbox.Aws;

/// <summary>What clients meet at a managed database.</summary>
/// <param name="Writes">It is up and takes writes.</param>
/// <param name="Restarts">How often it was restarted: sessions of before are over.</param>
/// <param name="SecurityGroups">Who may connect.</param>
public sealed record DatabaseSight(bool Writes, int Restarts, IReadOnlyList<string> SecurityGroups);

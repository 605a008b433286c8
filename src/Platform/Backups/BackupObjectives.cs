using System.Globalization;

namespace PlatformOps.Platform.Backups;

/// <summary>What was promised and what was measured.</summary>
/// <param name="Measured">Null: not measured, which is not kept.</param>
public sealed record ObjectiveResult(string Objective, TimeSpan Declared, TimeSpan? Measured)
{
    public bool Kept => Measured <= Declared;

    /// <summary>One sentence.</summary>
    public override string ToString() => Measured is not { } measured
        ? $"{Objective} was not measured; {Yaml.Units.Format(Declared)} is declared."
        : string.Create(CultureInfo.InvariantCulture, $"{Objective} {measured.TotalSeconds:0.0} s of {Declared.TotalSeconds:0} s{(Kept ? "" : ": not kept")}.");
}

/// <summary>Compares what restores measured with what the catalog promises.</summary>
public static class BackupObjectives
{
    /// <summary>RPO and RTO, in this order.</summary>
    public static IReadOnlyList<ObjectiveResult> Compare(BackupDefinition definition, TimeSpan? rpo, TimeSpan? rto) =>
        [new("RPO", definition.Rpo, rpo), new("RTO", definition.Rto, rto)];
}

using System.Text.Json;
using PlatformOps.Workflows;

namespace PlatformOps.Starter.CommandLine;

/// <summary>How results look as JSON: the same as in the runbooks' messages (camelCase, enums as words, no nulls).</summary>
internal static class JsonOutput
{
    public static JsonSerializerOptions Compact => PlatformOpsDataConverter.Json;

    public static JsonSerializerOptions Indented { get; } = new(PlatformOpsDataConverter.Json) { WriteIndented = true };
}

using System.Globalization;

namespace PlatformOps.Platform.Provisioning;

/// <summary>Kubernetes quantities as numbers, so that <c>1000m</c> equals <c>1</c> and <c>1024Mi</c> equals <c>1Gi</c>.</summary>
public static class Quantity
{
    private static readonly HashSet<string> Fields =
        ["capacity", "default", "defaultRequest", "hard", "limits", "max", "min", "requests", "sizeLimit"];

    private static readonly (string Suffix, decimal Factor)[] Suffixes =
    [
        ("Ki", 1024m), ("Mi", 1024m * 1024), ("Gi", 1024m * 1024 * 1024), ("Ti", 1024m * 1024 * 1024 * 1024), ("Pi", 1024m * 1024 * 1024 * 1024 * 1024),
        ("m", 0.001m), ("k", 1e3m), ("M", 1e6m), ("G", 1e9m), ("T", 1e12m), ("P", 1e15m), ("", 1m),
    ];

    /// <summary>Reads a quantity; exact for every suffix that Kubernetes writes up to peta.</summary>
    public static bool TryParse(string text, out decimal value)
    {
        foreach (var (suffix, factor) in Suffixes)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal)
                && decimal.TryParse(text[..^suffix.Length], NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            {
                value = number * factor;
                return true;
            }
        }

        value = 0;
        return false;
    }

    internal static bool IsQuantityField(string path) => path.Split('.').Any(Fields.Contains);
}

using System.Globalization;

namespace PlatformOps.Sandbox.Behaviours.Quotas;

/// <summary>Amounts as Kubernetes writes them, for adding up.</summary>
internal static class Quantity
{
    private static readonly (string Suffix, decimal Factor)[] Units =
    [
        ("Ei", 1L << 60), ("Pi", 1L << 50), ("Ti", 1L << 40), ("Gi", 1L << 30), ("Mi", 1L << 20), ("Ki", 1L << 10),
        ("E", 1e18m), ("P", 1e15m), ("T", 1e12m), ("G", 1e9m), ("M", 1e6m), ("k", 1e3m), ("m", 1e-3m), ("u", 1e-6m), ("n", 1e-9m),
    ];

    /// <summary>The number that the text stands for; 0 when it stands for none.</summary>
    public static decimal Read(string? text)
    {
        var unit = Units.FirstOrDefault(unit => text?.EndsWith(unit.Suffix, StringComparison.Ordinal) == true);
        var number = unit.Suffix is null ? text : text![..^unit.Suffix.Length];
        decimal.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value);
        return unit.Suffix is null ? value : value * unit.Factor;
    }

    /// <summary>The shortest exact text: in powers of 1024 when <paramref name="binary"/>, else whole or in thousandths.</summary>
    public static string Write(decimal amount, bool binary)
    {
        if (amount != decimal.Truncate(amount))
            return $"{decimal.Ceiling(amount * 1000):0}m";
        var unit = binary && amount != 0 ? Units.Take(6).FirstOrDefault(unit => amount % unit.Factor == 0) : default;
        return unit.Suffix is null ? $"{amount:0}" : $"{amount / unit.Factor:0}{unit.Suffix}";
    }
}

using System.Globalization;

namespace PlatformOps.Platform.Scaling;

/// <summary>Annotations of a workload that say why it has the number of replicas that it has, and tags of a managed database that say it of its class. Not part of any diff: another field manager owns them.</summary>
public static class ScaleMarks
{
    /// <summary>The field manager of <c>spec.replicas</c> once somebody has scaled the workload: the number is its own then, within the specification's range.</summary>
    public const string FieldManager = "platformops-scaling";

    /// <summary>The operation that set the number.</summary>
    public const string By = "platformops.io/scaled-by";

    /// <summary>Why, in the words of whoever asked.</summary>
    public const string Reason = "platformops.io/scaled-because";

    /// <summary>When the number of before comes back, in UTC; missing: it does not.</summary>
    public const string Until = "platformops.io/scaled-until";

    /// <summary>The number that comes back then.</summary>
    public const string Before = "platformops.io/scaled-from";

    /// <summary>Of a managed database: the class that was set. RDS has no field managers: only as long as it is the class, it is the scaling's own.</summary>
    public const string To = "platformops.io/scaled-to";

    /// <summary>Whether an annotation or tag is one of these.</summary>
    public static bool Contain(string name) => name is By or Reason or Until or Before or To;

    /// <summary>As annotations and plans have it.</summary>
    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}

/// <summary>A number that is meant for a while.</summary>
/// <param name="Operation">Who set it.</param>
/// <param name="Before">What comes back then.</param>
public sealed record TemporaryScale(string Operation, int Before, DateTimeOffset Until);

/// <summary>A class of a managed database that is meant for a while.</summary>
/// <param name="Operation">Who set it.</param>
/// <param name="Before">What comes back then.</param>
public sealed record TemporaryClass(string Operation, string Before, DateTimeOffset Until);

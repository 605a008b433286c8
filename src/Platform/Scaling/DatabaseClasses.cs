namespace PlatformOps.Platform.Scaling;

/// <summary>What the classes of RDS let a PostgreSQL do.</summary>
public static class DatabaseClasses
{
    /// <summary>Memory of the size <c>large</c> in GiB, by family (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html).</summary>
    private static readonly Dictionary<char, int> LargeGibibytes = new() { ['t'] = 8, ['m'] = 8, ['r'] = 16 };

    /// <summary>RDS's own default: <c>LEAST({DBInstanceClassMemory/9531392},5000)</c>.</summary>
    private const long BytesForAConnection = 9_531_392, Most = 5000;

    /// <summary>The most connections that an instance of a class accepts, by what RDS sets where nobody sets it otherwise. A little less in truth, since RDS itself takes some of the memory. Null: a class whose memory is not known here.</summary>
    /// <param name="instanceClass">For example <c>db.r6g.large</c>.</param>
    public static int? Connections(string instanceClass)
    {
        if (instanceClass.Split('.') is not ["db", { Length: >= 2 } family, var size] || !char.IsAsciiDigit(family[1]) || !LargeGibibytes.TryGetValue(family[0], out var large) || Larges(size) is not { } larges)
            return null;
        return (int)Math.Min((long)(large * larges * 1024 * 1024 * 1024) / BytesForAConnection, Most);
    }

    private static double? Larges(string size) => size switch
    {
        "micro" => 0.125,
        "small" => 0.25,
        "medium" => 0.5,
        "large" => 1,
        "xlarge" => 2,
        _ when size.EndsWith("xlarge", StringComparison.Ordinal) && int.TryParse(size.AsSpan(0, size.Length - "xlarge".Length), System.Globalization.CultureInfo.InvariantCulture, out var times) && times > 0 => 2 * times,
        _ => null,
    };
}

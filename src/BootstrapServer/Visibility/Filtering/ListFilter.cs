namespace PlatformOps.BootstrapServer.Visibility.Filtering;

/// <summary>A list filter, understood.</summary>
internal sealed record ListFilter
{
    /// <summary>What a record must fulfil; null takes all.</summary>
    public Condition? Where { get; init; }

    /// <summary>The order that the caller wants before the usual one.</summary>
    public IReadOnlyList<SortField> OrderBy { get; init; } = [];

    /// <summary>What to count by; null counts everything together.</summary>
    public AttributeReader? GroupBy { get; init; }

    public bool Accepts(ExecutionRecord record) => Where is null || Where.Test(record) == true;
}

/// <summary>One field of an ORDER BY.</summary>
internal readonly record struct SortField(AttributeReader Attribute, bool Descending);

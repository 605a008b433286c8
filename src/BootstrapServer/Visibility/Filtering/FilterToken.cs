namespace PlatformOps.BootstrapServer.Visibility.Filtering;

/// <summary>What a piece of a list filter is.</summary>
internal enum FilterTokenKind
{
    /// <summary>A keyword or the name of an attribute.</summary>
    Word,

    /// <summary>A name in backticks: never a keyword.</summary>
    QuotedName,
    Text,
    Number,
    Symbol,
    End,
}

/// <summary>A piece of a list filter.</summary>
/// <param name="Value">The text, without quotes; for a symbol its characters.</param>
/// <param name="Position">Where it begins: 1 is the first character of the filter.</param>
internal readonly record struct FilterToken(FilterTokenKind Kind, string Value, int Position)
{
    public bool Is(string keywordOrSymbol) =>
        Kind is FilterTokenKind.Word or FilterTokenKind.Symbol && Value.Equals(keywordOrSymbol, StringComparison.OrdinalIgnoreCase);

    public string Shown => Kind == FilterTokenKind.End ? "the end" : $"'{Value}'";
}

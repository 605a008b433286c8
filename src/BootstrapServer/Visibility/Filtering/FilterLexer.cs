using System.Text;

namespace PlatformOps.BootstrapServer.Visibility.Filtering;

/// <summary>Cuts a list filter into tokens.</summary>
internal static class FilterLexer
{
    private static readonly string[] Symbols = ["<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ",", "*"];

    /// <exception cref="FilterException">A character that begins nothing, or a quote that does not end.</exception>
    public static List<FilterToken> Split(string filter)
    {
        var tokens = new List<FilterToken>();
        var at = 0;
        while (true)
        {
            while (at < filter.Length && char.IsWhiteSpace(filter[at]))
                at++;
            if (at == filter.Length)
            {
                tokens.Add(new FilterToken(FilterTokenKind.End, "", at + 1));
                return tokens;
            }
            tokens.Add(Next(filter, ref at));
        }
    }

    private static FilterToken Next(string filter, ref int at)
    {
        var begin = at;
        var first = filter[at];
        if (first is '\'' or '"' or '`')
            return new FilterToken(first == '`' ? FilterTokenKind.QuotedName : FilterTokenKind.Text, Quoted(filter, ref at), begin + 1);
        if (char.IsLetter(first) || first == '_')
        {
            while (at < filter.Length && (char.IsLetterOrDigit(filter[at]) || filter[at] is '_' or '.' or '-'))
                at++;
            return new FilterToken(FilterTokenKind.Word, filter[begin..at], begin + 1);
        }
        if (char.IsAsciiDigit(first) || (first is '-' or '+' or '.' && at + 1 < filter.Length && char.IsAsciiDigit(filter[at + 1])))
        {
            at++;
            while (at < filter.Length && IsNumberPart(filter, at))
                at++;
            return new FilterToken(FilterTokenKind.Number, filter[begin..at], begin + 1);
        }
        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(filter, at, symbol, 0, symbol.Length) != 0)
                continue;
            at += symbol.Length;
            return new FilterToken(FilterTokenKind.Symbol, symbol, begin + 1);
        }
        throw FilterException.At(begin + 1, $"unexpected character '{first}'");
    }

    private static bool IsNumberPart(string filter, int at) =>
        char.IsAsciiDigit(filter[at]) || filter[at] is '.' or 'e' or 'E' || (filter[at] is '+' or '-' && filter[at - 1] is 'e' or 'E');

    private static string Quoted(string filter, ref int at)
    {
        var begin = at;
        var quote = filter[at++];
        var text = new StringBuilder();
        for (; at < filter.Length; at++)
        {
            if (filter[at] == '\\' && at + 1 < filter.Length && quote != '`')
            {
                text.Append(filter[++at]);
            }
            else if (filter[at] != quote)
            {
                text.Append(filter[at]);
            }
            else if (at + 1 < filter.Length && filter[at + 1] == quote)
            {
                text.Append(filter[++at]);
            }
            else
            {
                at++;
                return text.ToString();
            }
        }
        throw FilterException.At(begin + 1, $"the {quote} that begins here has no end");
    }
}

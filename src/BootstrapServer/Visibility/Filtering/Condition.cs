using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Visibility.Filtering;

/// <summary>A condition on a record, in SQL's logic of three values: null means that it cannot be told, because a value is missing.</summary>
internal abstract record Condition
{
    public abstract bool? Test(ExecutionRecord record);
}

internal sealed record Not(Condition Inner) : Condition
{
    public override bool? Test(ExecutionRecord record) => !Inner.Test(record);
}

internal sealed record And(Condition Left, Condition Right) : Condition
{
    public override bool? Test(ExecutionRecord record) => Left.Test(record) switch
    {
        false => false,
        true => Right.Test(record),
        null => Right.Test(record) == false ? false : null,
    };
}

internal sealed record Or(Condition Left, Condition Right) : Condition
{
    public override bool? Test(ExecutionRecord record) => Left.Test(record) switch
    {
        true => true,
        false => Right.Test(record),
        null => Right.Test(record) == true ? true : null,
    };
}

internal sealed record IsNull(AttributeReader Attribute) : Condition
{
    public override bool? Test(ExecutionRecord record) => Attribute.Read(record) is null;
}

/// <summary>Compares an attribute that has one value.</summary>
internal sealed record Comparison(AttributeReader Attribute, string Operator, object Value) : Condition
{
    public override bool? Test(ExecutionRecord record)
    {
        if (Attribute.Read(record) is not { } actual)
            return null;
        var order = AttributeValues.Compare(actual, Value);
        return Operator switch
        {
            "=" => order == 0,
            "!=" => order != 0,
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            _ => order >= 0,
        };
    }
}

/// <summary>The attribute, or one of a list's elements, is one of the values. A list that is missing has no elements: that is known.</summary>
internal sealed record OneOf(AttributeReader Attribute, IReadOnlyList<object> Values) : Condition
{
    public override bool? Test(ExecutionRecord record) => Attribute.Read(record) switch
    {
        null => Attribute.Type == IndexedValueType.KeywordList ? false : null,
        IReadOnlyList<string> list => list.Any(e => Values.Contains(e)),
        var actual => Values.Any(v => AttributeValues.Compare(actual, v) == 0),
    };
}

internal sealed record StartsWith(AttributeReader Attribute, string Prefix) : Condition
{
    public override bool? Test(ExecutionRecord record) =>
        Attribute.Read(record) is string actual ? actual.StartsWith(Prefix, StringComparison.Ordinal) : null;
}

/// <summary>A text contains at least one of the words, whatever their case. A text that is missing has no words: that is known.</summary>
internal sealed record HasWord(AttributeReader Attribute, IReadOnlySet<string> Words) : Condition
{
    public override bool? Test(ExecutionRecord record) => Attribute.Read(record) is string actual && SplitWords(actual).Any(Words.Contains);

    public static IEnumerable<string> SplitWords(string text) => text
        .Split([.. text.Where(c => !char.IsLetterOrDigit(c) && c != '_').Distinct()], StringSplitOptions.RemoveEmptyEntries)
        .Select(w => w.ToUpperInvariant());
}

using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Visibility.Filtering;

/// <summary>
/// Parses Temporal's list filters: comparisons, AND, OR, NOT, parentheses, IN, BETWEEN, STARTS_WITH and IS NULL over search
/// attributes, then optionally GROUP BY and ORDER BY.
/// </summary>
internal sealed class FilterParser
{
    /// <summary>Deeper nesting than this is an attack on the stack, not a query.</summary>
    private const int DeepestNesting = 200;

    private const int MostConditions = 1000;

    private const string SystemPrefix = "Temporal";

    private static readonly string[] Comparisons = ["=", "!=", "<>", "<", "<=", ">", ">="];

    private readonly Func<string, AttributeReader?> attributes;
    private readonly List<FilterToken> tokens;
    private int at;
    private int depth;
    private int conditions;
    private bool sawDivision;

    private FilterParser(string filter, Func<string, AttributeReader?> attributes)
    {
        this.attributes = attributes;
        tokens = FilterLexer.Split(filter);
    }

    private FilterToken Current => tokens[at];

    /// <param name="attributes">Finds an attribute by name; null when there is none.</param>
    /// <exception cref="FilterException">The message says what is wrong, and where.</exception>
    public static ListFilter Parse(string filter, Func<string, AttributeReader?> attributes)
    {
        var parser = new FilterParser(filter, attributes);
        return parser.Whole();
    }

    private ListFilter Whole()
    {
        var where = Current.Kind == FilterTokenKind.End || StartsClause() ? null : Disjunction();
        var groupBy = Clause("GROUP") ? GroupField() : null;
        var orderBy = Clause("ORDER") ? SortFields() : [];
        if (Current.Is("LIMIT"))
            throw FilterException.At(Current.Position, "operation is not supported: 'LIMIT' clause");
        if (Current.Kind != FilterTokenKind.End)
            throw FilterException.At(Current.Position, $"syntax error near {Current.Shown}");
        return new ListFilter { Where = Divided(where), GroupBy = groupBy, OrderBy = orderBy };
    }

    /// <summary>Executions of the system's own divisions show only when asked for.</summary>
    private Condition? Divided(Condition? where)
    {
        if (sawDivision || attributes("TemporalNamespaceDivision") is not { } division)
            return where;
        return where is null ? new IsNull(division) : new And(new IsNull(division), where);
    }

    private bool StartsClause() => (Current.Is("GROUP") || Current.Is("ORDER")) && tokens[at + 1].Is("BY");

    private bool Clause(string first)
    {
        if (!Current.Is(first))
            return false;
        at++;
        Expect("BY");
        return true;
    }

    private Condition Disjunction()
    {
        var left = Conjunction();
        while (Take("OR"))
            left = new Or(left, Conjunction());
        return left;
    }

    private Condition Conjunction()
    {
        var left = Negation();
        while (Take("AND"))
            left = new And(left, Negation());
        return left;
    }

    private Condition Negation()
    {
        if (++depth > DeepestNesting)
            throw FilterException.At(Current.Position, "the query is nested too deeply");
        var condition = Take("NOT") ? new Not(Negation()) : Primary();
        depth--;
        return condition;
    }

    private Condition Primary()
    {
        if (!Take("("))
            return Predicate();
        var inner = Disjunction();
        Expect(")");
        return inner;
    }

    private Condition Predicate()
    {
        if (++conditions > MostConditions)
            throw FilterException.At(Current.Position, $"the query has more than {MostConditions} conditions");
        var attribute = Attribute();
        if (Take("IS"))
        {
            var not = Take("NOT");
            Expect("NULL");
            return Maybe(not, new IsNull(attribute));
        }
        var negated = Take("NOT");
        var operation = Current;
        at++;
        if (operation.Is("IN"))
            return Maybe(negated, Membership(attribute, operation));
        if (operation.Is("BETWEEN"))
            return Maybe(negated, Range(attribute, operation));
        if (operation.Is("STARTS_WITH"))
            return Maybe(negated, Prefix(attribute, operation));
        if (operation.Is("LIKE") || operation.Is("REGEXP"))
            throw NotSupported(attribute, operation);
        if (negated || operation.Kind != FilterTokenKind.Symbol || !Comparisons.Contains(operation.Value))
            throw FilterException.At(operation.Position, $"an operator is missing before {operation.Shown}");
        return Compared(attribute, operation);
    }

    private static Condition Maybe(bool negated, Condition condition) => negated ? new Not(condition) : condition;

    private Condition Compared(AttributeReader attribute, FilterToken operation)
    {
        var symbol = operation.Value == "<>" ? "!=" : operation.Value;
        var value = Value(attribute);
        if (attribute.Type is not (IndexedValueType.Text or IndexedValueType.KeywordList))
            return new Comparison(attribute, symbol, value);
        if (symbol is not ("=" or "!="))
            throw NotSupported(attribute, operation);
        return Maybe(symbol == "!=", attribute.Type == IndexedValueType.Text ? Words(attribute, (string)value) : new OneOf(attribute, [value]));
    }

    private HasWord Words(AttributeReader attribute, string value)
    {
        var words = HasWord.SplitWords(value).ToHashSet();
        return words.Count > 0
            ? new HasWord(attribute, words)
            : throw FilterException.At(tokens[at - 1].Position, $"unexpected value for Text type search attribute {attribute.Name}: it has no words");
    }

    private OneOf Membership(AttributeReader attribute, FilterToken operation)
    {
        if (attribute.Type == IndexedValueType.Text)
            throw NotSupported(attribute, operation);
        Expect("(");
        var values = new List<object> { Value(attribute) };
        while (Take(","))
            values.Add(Value(attribute));
        Expect(")");
        return new OneOf(attribute, values);
    }

    private And Range(AttributeReader attribute, FilterToken operation)
    {
        if (attribute.Type is IndexedValueType.Text or IndexedValueType.KeywordList or IndexedValueType.Bool)
            throw FilterException.At(operation.Position, $"invalid expression: cannot do range condition on search attribute '{attribute.Name}' of type {attribute.Type}");
        var from = Value(attribute);
        Expect("AND");
        return new And(new Comparison(attribute, ">=", from), new Comparison(attribute, "<=", Value(attribute)));
    }

    private StartsWith Prefix(AttributeReader attribute, FilterToken operation) => attribute.Type == IndexedValueType.Keyword
        ? new StartsWith(attribute, (string)Value(attribute))
        : throw NotSupported(attribute, operation);

    private object Value(AttributeReader attribute) => FilterValues.Read(tokens[at++], attribute);

    private AttributeReader GroupField()
    {
        var position = Current.Position;
        var attribute = Attribute();
        if (attribute.Name is not ("ExecutionStatus" or "TemporalNamespaceDivision"))
            throw FilterException.At(position, $"operation is not supported: 'GROUP BY' clause is not supported for search attribute {attribute.Name}");
        return Current.Is(",")
            ? throw FilterException.At(Current.Position, "operation is not supported: 'GROUP BY' clause supports only a single field")
            : attribute;
    }

    private List<SortField> SortFields()
    {
        var fields = new List<SortField>();
        do
        {
            var position = Current.Position;
            var attribute = Attribute();
            // The real server sorts with Elasticsearch only, and not by a text.
            if (attribute.Type is IndexedValueType.Text or IndexedValueType.KeywordList)
                throw FilterException.At(position, $"operation is not supported: unable to sort by search attribute type {attribute.Type}");
            var descending = Take("DESC");
            if (!descending)
                Take("ASC");
            fields.Add(new SortField(attribute, descending));
        }
        while (Take(","));
        return fields;
    }

    private AttributeReader Attribute()
    {
        var token = Current;
        if (token.Kind is not (FilterTokenKind.Word or FilterTokenKind.QuotedName))
            throw FilterException.At(token.Position, $"the name of a search attribute is missing before {token.Shown}");
        at++;
        sawDivision |= token.Value == "TemporalNamespaceDivision";
        return attributes(token.Value) ?? Renamed(token.Value)
            ?? throw FilterException.At(token.Position, $"column name {token.Shown} is not a valid search attribute");
    }

    /// <summary>The server's own attributes are found with and without their prefix.</summary>
    private AttributeReader? Renamed(string name) =>
        attributes(name.StartsWith(SystemPrefix, StringComparison.Ordinal) ? name[SystemPrefix.Length..] : SystemPrefix + name);

    private bool Take(string keywordOrSymbol)
    {
        if (!Current.Is(keywordOrSymbol))
            return false;
        at++;
        return true;
    }

    private void Expect(string keywordOrSymbol)
    {
        if (!Take(keywordOrSymbol))
            throw FilterException.At(Current.Position, $"syntax error near {Current.Shown}: '{keywordOrSymbol}' is missing");
    }

    private static FilterException NotSupported(AttributeReader attribute, FilterToken operation) => FilterException.At(
        operation.Position,
        $"operation is not supported: operator '{operation.Value.ToUpperInvariant()}' not supported for {attribute.Type} type search attribute '{attribute.Name}'");
}

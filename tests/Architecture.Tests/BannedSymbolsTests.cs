using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace PlatformOps.Architecture.Tests;

/// <summary>A ban that names no real symbol, or misses an overload, bans nothing: each line is resolved, used, and must be refused.</summary>
public class BannedSymbolsTests
{
    private const string Platform = "src/Platform/BannedSymbols.txt";
    private const string Workflows = "src/PlatformWorkflows/BannedSymbols.txt";

    /// <summary>Methods of which every overload, also one that a later framework adds, must be on the list of the workflows.</summary>
    private static readonly (string Type, string Method, string Instead)[] BannedFamilies =
    [
        ("System.Threading.CancellationTokenSource", "CancelAfter", "Workflows are deterministic: cancel after Workflow.DelayAsync."),
        ("System.Threading.CancellationTokenSource", "CancelAsync", "Workflows are deterministic: use Cancel()."),
        ("System.Threading.Tasks.Task", "ConfigureAwait", "Workflows are deterministic: stay on the workflow's scheduler."),
        ("System.Threading.Tasks.Task", "Delay", "Workflows are deterministic: use Workflow.DelayAsync."),
        ("System.Threading.Tasks.Task", "Run", "Workflows are deterministic: use Workflow.RunTaskAsync."),
        ("System.Threading.Tasks.Task", "Wait", "Workflows never block: await."),
        ("System.Threading.Tasks.Task", "WaitAll", "Workflows never block: use Workflow.WhenAllAsync."),
        ("System.Threading.Tasks.Task", "WaitAny", "Workflows never block: use Workflow.WhenAnyAsync."),
        ("System.Threading.Tasks.Task", "WaitAsync", "Workflows are deterministic: use Workflow.WaitConditionAsync with a timeout."),
        ("System.Threading.Tasks.Task", "WhenAll", "Workflows are deterministic: use Workflow.WhenAllAsync."),
        ("System.Threading.Tasks.Task", "WhenAny", "Workflows are deterministic: use Workflow.WhenAnyAsync."),
        ("System.Threading.Tasks.Task", "WhenEach", "Workflows are deterministic: use Workflow.WhenAnyAsync."),
        ("System.Threading.Tasks.Task`1", "ConfigureAwait", "Workflows are deterministic: stay on the workflow's scheduler."),
        ("System.Threading.Tasks.Task`1", "WaitAsync", "Workflows are deterministic: use Workflow.WaitConditionAsync with a timeout."),
        ("System.Threading.Tasks.ValueTask", "ConfigureAwait", "Workflows are deterministic: stay on the workflow's scheduler."),
        ("System.Threading.Tasks.ValueTask`1", "ConfigureAwait", "Workflows are deterministic: stay on the workflow's scheduler."),
    ];

    private static readonly Lazy<CSharpCompilation> Framework = new(() => CSharpCompilation.Create(
        "Uses",
        references: ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(':')
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
        options: new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)));

    [Fact]
    public void Every_overload_of_a_banned_family_is_on_the_list_of_the_workflows()
    {
        var listed = Lines(Workflows).Select(line => line.Id).ToHashSet();
        var missing = (
            from family in BannedFamilies
            from method in Framework.Value.GetTypeByMetadataName(family.Type)!.GetMembers(family.Method)
            where method.DeclaredAccessibility == Accessibility.Public
            let id = method.GetDocumentationCommentId()!
            where !listed.Contains(id)
            select $"{id};{family.Instead}").ToArray();
        Assert.True(missing.Length == 0, $"Add to {Workflows}:\n{string.Join('\n', missing)}");
    }

    [Theory]
    [InlineData(Platform)]
    [InlineData(Workflows)]
    public void The_list_is_sorted_and_says_what_to_do_instead(string file)
    {
        var lines = Lines(file);
        Assert.Equal(lines.Select(line => line.Id).Order(StringComparer.Ordinal), lines.Select(line => line.Id));
        Assert.All(lines, line => Assert.NotEmpty(line.Message));
    }

    [Theory]
    [InlineData(Platform)]
    [InlineData(Workflows)]
    public async Task Every_line_names_a_symbol_whose_use_does_not_compile(string file)
    {
        var uses = Lines(file).Select(line => (line.Id, Code: Use(line.Id))).ToArray();
        var code = string.Join('\n', uses.Select((use, index) => $"static class Use{index} {{ static async System.Threading.Tasks.Task M() {{ {use.Code} ; await default(System.Threading.Tasks.ValueTask); }} }}"));
        var tree = CSharpSyntaxTree.ParseText(code, cancellationToken: TestContext.Current.CancellationToken);
        var compilation = Framework.Value.AddSyntaxTrees(tree);
        Assert.Empty(compilation.GetDiagnostics(TestContext.Current.CancellationToken).Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error));

        var findings = await compilation
            .WithAnalyzers(Analyzers(), new AnalyzerOptions([new ListFile(Path.Combine(Repository.Root, file))]))
            .GetAnalyzerDiagnosticsAsync(TestContext.Current.CancellationToken);

        var refused = findings.Where(finding => finding.Id == "RS0030").Select(finding => finding.Location.GetLineSpan().StartLinePosition.Line).ToHashSet();
        Assert.Empty(uses.Where((_, index) => !refused.Contains(index)).Select(use => use.Id));
    }

    /// <summary>A statement that uses the symbol of a documentation id.</summary>
    private static string Use(string id)
    {
        if (id.StartsWith("N:", StringComparison.Ordinal))
        {
            var name = id[2..];
            var type = TypesOf(Framework.Value.GlobalNamespace, name).FirstOrDefault()
                ?? throw new InvalidOperationException($"{id} names no namespace with public types.");
            return $"_ = typeof({Open(type)})";
        }

        var symbol = DocumentationCommentId.GetFirstSymbolForDeclarationId(id, Framework.Value)
            ?? throw new InvalidOperationException($"{id} names nothing in this framework.");
        return symbol switch
        {
            INamedTypeSymbol type => $"_ = typeof({Open(type)})",
            IPropertySymbol property => $"_ = {Target(property)}.{property.Name}",
            IMethodSymbol { MethodKind: MethodKind.Constructor } constructor => $"_ = new {Closed(constructor.ContainingType)}({Arguments(constructor)})",
            IMethodSymbol method => $"{Target(method)}.{method.Name}{TypeArguments(method)}({Arguments(method)})",
            _ => throw new InvalidOperationException($"{id}: no way to use a {symbol.Kind} yet."),
        };
    }

    private static IEnumerable<INamedTypeSymbol> TypesOf(INamespaceSymbol root, string name)
    {
        var space = name.Split('.').Aggregate<string, INamespaceSymbol?>(root, (at, part) => at?.GetNamespaceMembers().FirstOrDefault(member => member.Name == part));
        return space?.GetTypeMembers().Where(type => type is { DeclaredAccessibility: Accessibility.Public, TypeKind: TypeKind.Class or TypeKind.Struct, IsStatic: false }) ?? [];
    }

    private static string Open(INamedTypeSymbol type) =>
        $"global::{type.ContainingNamespace}.{type.Name}{(type.Arity == 0 ? "" : $"<{new string(',', type.Arity - 1)}>")}";

    private static string Closed(INamedTypeSymbol type) =>
        type.Arity == 0 ? type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat)
            : type.Construct([.. type.TypeParameters.Select(_ => Framework.Value.GetSpecialType(SpecialType.System_Int32))]).ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);

    private static string Target(ISymbol member) =>
        member.IsStatic ? Closed(member.ContainingType) : $"default({Closed(member.ContainingType)})!";

    private static string TypeArguments(IMethodSymbol method) =>
        method.Arity == 0 ? "" : $"<{string.Join(", ", Enumerable.Repeat("int", method.Arity))}>";

    private static string Arguments(IMethodSymbol method)
    {
        var closedType = method.ContainingType.Arity == 0 ? method
            : method.ContainingType.Construct([.. method.ContainingType.TypeParameters.Select(_ => Framework.Value.GetSpecialType(SpecialType.System_Int32))])
                .GetMembers(method.Name).OfType<IMethodSymbol>().Single(member => SymbolEqualityComparer.Default.Equals(member.OriginalDefinition, method));
        var closed = method.Arity == 0 ? closedType
            : closedType.Construct([.. method.TypeParameters.Select(_ => Framework.Value.GetSpecialType(SpecialType.System_Int32))]);
        return string.Join(", ", closed.Parameters.Select(parameter => $"default({parameter.Type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat)})!"));
    }

    private static ImmutableArray<DiagnosticAnalyzer> Analyzers()
    {
        var folder = Path.Combine(Repository.Metadata("BannedApiAnalyzers"), "analyzers");
        var file = Directory.EnumerateFiles(folder, "Microsoft.CodeAnalysis.CSharp.BannedApiAnalyzers.dll", SearchOption.AllDirectories).Single();
        var reference = new AnalyzerFileReference(file, new Loader());
        return reference.GetAnalyzers(LanguageNames.CSharp);
    }

    private static List<(string Id, string Message)> Lines(string file) =>
        [.. File.ReadLines(Path.Combine(Repository.Root, file)).Select(line => line.Split(';', 2)).Select(parts => (parts[0], parts.ElementAtOrDefault(1) ?? ""))];

    private sealed class ListFile(string path) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(File.ReadAllText(path));
    }

    private sealed class Loader : IAnalyzerAssemblyLoader
    {
        public void AddDependencyLocation(string fullPath)
        {
        }

        public System.Reflection.Assembly LoadFromPath(string fullPath) => System.Reflection.Assembly.LoadFrom(fullPath);
    }
}

using System.Text.RegularExpressions;

namespace PlatformOps.OtherSdks.Tests;

/// <summary>What the TypeScript SDK's client, worker and test environments see of the server: one test for each case of <c>typescript/cases.js</c>.</summary>
public partial class TypeScriptTests(TypeScriptRun run) : IClassFixture<TypeScriptRun>
{
    public static TheoryData<string> Cases => [.. Sentence().Matches(File.ReadAllText(Path.Combine(TypeScriptRun.Sources, "cases.js"))).Select(match => match.Groups[1].Value)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_typescript_sdk_sees(string sentence)
    {
        Assert.SkipWhen(run.Missing is not null, run.Missing ?? "");
        Assert.True(run.Results.TryGetValue(sentence, out var result), $"The program did not come to this case:\n{run.Output}");
        Assert.True(result.Passed, result.Error);
    }

    [GeneratedRegex("^show\\('([^']+)'", RegexOptions.Multiline)]
    private static partial Regex Sentence();
}

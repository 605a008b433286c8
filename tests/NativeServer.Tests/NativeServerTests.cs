using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace PlatformOps.NativeServer.Tests;

/// <summary>The native executable finds calls and fields of messages by names that its compiler could have left out: the whole suite of the server judges it.</summary>
public sealed partial class NativeServerTests(PublishedServer server) : IClassFixture<PublishedServer>
{
    /// <summary>The attributes that the suite needs of a server that it did not start.</summary>
    private static readonly string[] SearchAttributes =
        ["TestKeyword=Keyword", "TestText=Text", "TestInt=Int", "TestDouble=Double", "TestBool=Bool", "TestDatetime=Datetime", "TestKeywordList=KeywordList"];

    /// <summary>Megabytes of memory at start that are promised in docs/bootstrap-server.md.</summary>
    private const int PromisedMegabytes = 60;

    [Fact]
    public async Task Starts_in_the_memory_that_is_promised()
    {
        using var process = Start(server.Executable, "server", "start-dev", "--port", "0");
        try
        {
            await AddressAsync(process);
            Assert.InRange(ResidentKilobytes(process) / 1000.0, 1, PromisedMegabytes);
        }
        finally
        {
            process.Kill();
        }
    }

    [Fact]
    public async Task Passes_every_test_of_the_server()
    {
        using var process = Start(server.Executable, ["server", "start-dev", "--port", "0", .. SearchAttributes.SelectMany(attribute => new[] { "--search-attribute", attribute })]);
        try
        {
            var start = new ProcessStartInfo("dotnet", ["exec", Suite(), "-noColor", "-noLogo"]) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["TEMPORAL_TEST_ADDRESS"] = await AddressAsync(process);
            start.Environment["PLATFORMOPS_TEST_SERVER"] = server.Executable;
            using var suite = Process.Start(start)!;
            var errors = suite.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            var output = await suite.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await errors;
            var summary = Summary().Match(output);
            var failed = string.Join(Environment.NewLine, output.Split('\n').Where(line => line.Contains("[FAIL]", StringComparison.Ordinal)));
            Assert.True(summary.Success, output);
            Assert.True(summary.Groups["failed"].Value == "0" && summary.Groups["errors"].Value == "0", failed);
            Assert.InRange(int.Parse(summary.Groups["total"].Value, CultureInfo.InvariantCulture), 500, int.MaxValue);
        }
        finally
        {
            process.Kill();
        }
    }

    private static Process Start(string executable, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(executable, arguments) { RedirectStandardOutput = true })!;

    private static async Task<string> AddressAsync(Process process) =>
        (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))?.Split(": ") is [_, var address]
            ? address
            : throw new InvalidOperationException("The native server did not start.");

    private static double ResidentKilobytes(Process process)
    {
        var line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Id}/status")).First(text => text.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Built beside this suite, in the same configuration.</summary>
    private static string Suite() =>
        Path.Combine(AppContext.BaseDirectory.Replace("NativeServer.Tests", "BootstrapServer.Tests", StringComparison.Ordinal), "PlatformOps.BootstrapServer.Tests.dll");

    [GeneratedRegex(@"Total: (?<total>\d+), Errors: (?<errors>\d+), Failed: (?<failed>\d+)")]
    private static partial Regex Summary();
}

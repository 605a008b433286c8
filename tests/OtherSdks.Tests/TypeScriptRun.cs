using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;
using PlatformOps.BootstrapServer;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.OtherSdks.Tests;

/// <summary>
/// One run of <c>typescript/conformance.js</c> against a server of its own, or against the one that <c>TEMPORAL_TEST_ADDRESS</c> names (it
/// needs the namespace <c>default</c> and the search attributes below). The packages are installed once, into <c>artifacts/</c>.
/// </summary>
public sealed class TypeScriptRun : IAsyncLifetime
{
    private const int OldestNode = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private static readonly string Root = typeof(TypeScriptRun).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(data => data.Key == "RepositoryRoot").Value!;

    private static readonly Dictionary<string, IndexedValueType> SearchAttributes = new() { ["TestKeyword"] = IndexedValueType.Keyword, ["TestInt"] = IndexedValueType.Int };

    public static string Sources { get; } = Path.Combine(Root, "tests", "OtherSdks.Tests", "typescript");

    /// <summary>Why nothing could be run; null when it was.</summary>
    public string? Missing { get; private set; }

    /// <summary>How each case ended.</summary>
    public Dictionary<string, CaseResult> Results { get; } = [];

    /// <summary>What the program wrote beside results.</summary>
    public string Output { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Missing = await LacksAsync();
        var folder = Missing is null ? await InstallAsync() : "";
        if (Missing is not null && Environment.GetEnvironmentVariable("CI") == "true")
            throw new InvalidOperationException(Missing);
        if (Missing is not null)
            return;
        await using var server = Environment.GetEnvironmentVariable("TEMPORAL_TEST_ADDRESS") is { Length: > 0 } other
            ? null
            : await BootstrapServerHost.StartAsync(new BootstrapServerOptions { SearchAttributes = SearchAttributes });
        var run = await ChildProcess.RunAsync("node", ["conformance.js"], folder, Patience, new()
        {
            ["TEMPORAL_ADDRESS"] = server?.Address ?? Environment.GetEnvironmentVariable("TEMPORAL_TEST_ADDRESS"),
            ["SERVER_EXECUTABLE"] = Path.Combine(AppContext.BaseDirectory, "PlatformOps.BootstrapServer"),
        });
        Output = run.Errors + string.Join('\n', run.Lines.Where(line => !Read(line)));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private bool Read(string line)
    {
        if (!line.StartsWith("{\"name\"", StringComparison.Ordinal))
            return false;
        var result = JsonSerializer.Deserialize<CaseResult>(line, JsonSerializerOptions.Web)!;
        Results[result.Name] = result;
        return true;
    }

    private static async Task<string?> LacksAsync()
    {
        const string how = "Install them (Debian: apt-get install nodejs npm) to judge the server by the TypeScript SDK.";
        var node = await ChildProcess.RunAsync("node", ["--version"], Root, Patience);
        var npm = await ChildProcess.RunAsync("npm", ["--version"], Root, Patience);
        if (node.ExitCode != 0 || npm.ExitCode != 0)
            return $"node and npm are not on the PATH. {how}";
        var version = node.Lines[0].TrimStart('v');
        return int.Parse(version.Split('.')[0], CultureInfo.InvariantCulture) < OldestNode ? $"node is {version}; the SDK needs {OldestNode} or later. {how}" : null;
    }

    /// <summary>A folder with the packages of the lock file and the sources as they are now.</summary>
    private async Task<string> InstallAsync()
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(Sources, "package-lock.json"))))[..12];
        var folder = Path.Combine(Root, "artifacts", "other-sdks", $"typescript-{digest}");
        var draft = Directory.Exists(folder) ? folder : $"{folder}.{Environment.ProcessId}";
        Directory.CreateDirectory(draft);
        foreach (var file in Directory.GetFiles(Sources))
            File.Copy(file, Path.Combine(draft, Path.GetFileName(file)), overwrite: true);
        if (draft == folder)
            return folder;
        var installed = await ChildProcess.RunAsync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], draft, Patience);
        if (installed.ExitCode == 0)
            Directory.Move(draft, folder);
        else
            Missing = $"`npm ci` could not install the TypeScript SDK: {installed.Errors}";
        return folder;
    }
}

/// <param name="Name">The sentence.</param>
/// <param name="Error">Why it did not pass.</param>
public sealed record CaseResult(string Name, bool Passed, string? Error);

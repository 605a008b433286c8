using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;
using PlatformOps.Sandbox.Vault;

namespace PlatformOps.Integration.Tests.Vault;

/// <summary>The tests of Vault's engines in a process that is told of a server as of a real one, by <c>VAULT_ADDR</c> and <c>VAULT_TOKEN</c>.</summary>
public sealed partial class GivenServerTests
{
    private static readonly Type[] OnAnyServer = [typeof(AccessTests), typeof(DatabaseTests), typeof(KeyValueTests), typeof(PkiTests), typeof(TransitTests)];

    private static readonly Type[] OnTheStandInOnly = [typeof(DatabaseClockTests), typeof(FailureTests), typeof(LeasedLoginTests), typeof(SnapshotTests), typeof(TokenRenewalTests)];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_run_on_the_server_that_is_named_and_leave_it_as_it_was()
    {
        await using var vault = await SandboxVault.StartAsync(new() { Database = PostgresStatements.RunAsync }, Ct);
        using var connection = VaultConnection.Open(new("tests", vault.Address), new GivenToken(new(vault.RootToken)));
        var system = new VaultSystem(connection);
        await system.MountAsync("theirs", "kv", Ct, options: new Dictionary<string, string> { ["version"] = "2" });
        await new VaultKeyValues(connection, "theirs").WriteAsync("orders", new Dictionary<string, SecretText> { ["password"] = new("somebody's") }, 0, Ct);
        await system.WritePolicyAsync("theirs", "path \"theirs/*\" { capabilities = [\"read\"] }", Ct);
        await system.EnableLoginMethodAsync("approle", "approle", Ct);
        var before = await ContentsAsync();
        var called = vault.Calls.Count;

        var (output, total, failed, skipped) = await RunAsync(vault);

        Assert.True(failed == 0, output);
        // Those that were skipped say why; the others have run here.
        Assert.Equal((OnTheStandInOnly.Sum(Tests), OnAnyServer.Sum(Tests)), (skipped, total - skipped));
        Assert.Equal(skipped, Reason().Count(output));
        var calls = vault.Calls.Skip(called).Select(call => call.Path).ToList();
        Assert.All((string[])["-kv/data/", "-pki/", "-transit/", "-database/creds/", "auth/test-"], path => Assert.Contains(calls, call => call.Contains(path, StringComparison.Ordinal)));
        Assert.DoesNotContain(calls, call => call.Contains("theirs", StringComparison.Ordinal) || call.StartsWith("auth/approle/", StringComparison.Ordinal));
        Assert.Equal(before, await ContentsAsync());

        async Task<List<string>> ContentsAsync() =>
            [.. (await system.MountsAsync(Ct)).Keys.Order(), .. (await system.LoginMethodsAsync(Ct)).Keys.Order(), .. (await system.PoliciesAsync(Ct)).Order(), .. await new VaultLeases(connection).ListAsync("", Ct)];
    }

    private static async Task<(string Output, int Total, int Failed, int Skipped)> RunAsync(SandboxVault vault)
    {
        string[] classes = [.. OnAnyServer.Concat(OnTheStandInOnly).SelectMany(type => (string[])["-class", type.FullName!])];
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(GivenServerTests).Assembly.Location, "-noColor", "-noLogo", .. classes]) { RedirectStandardOutput = true, RedirectStandardError = true };
        (start.Environment["VAULT_ADDR"], start.Environment["VAULT_TOKEN"]) = (vault.Address.AbsoluteUri, vault.RootToken);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(Ct);
        var output = await process.StandardOutput.ReadToEndAsync(Ct) + await errors;
        await process.WaitForExitAsync(Ct);
        var summary = Summary().Match(output);
        Assert.True(summary.Success, output);
        return (output, Number("total"), Number("errors") + Number("failed"), Number("skipped"));

        int Number(string name) => int.Parse(summary.Groups[name].Value, CultureInfo.InvariantCulture);
    }

    private static int Tests(Type type) => type.GetMethods().Sum(method => method.GetCustomAttribute<FactAttribute>() is null ? 0 : Math.Max(1, method.GetCustomAttributes<InlineDataAttribute>().Count()));

    [GeneratedRegex(@"Total: (?<total>\d+), Errors: (?<errors>\d+), Failed: (?<failed>\d+), Skipped: (?<skipped>\d+)")]
    private static partial Regex Summary();

    [GeneratedRegex("Not on the Vault of VAULT_ADDR: ")]
    private static partial Regex Reason();
}

using System.Text.Json;
using PlatformOps.Guard.Configuration;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>The whole story as a user sees it: a backup under load, its proof, the deletion of everything, and the restore of the moment before.</summary>
public sealed class BackupDemoTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Everything_that_was_acknowledged_is_there_again_and_the_last_line_says_so()
    {
        Assert.SkipWhen(LocalPair.Binaries is null, "Install PostgreSQL (Debian: apt-get install postgresql) to run the tests on real servers.");
        Assert.SkipWhen(!File.Exists(new BackupSettings().Program), "Install pgBackRest (Debian: apt-get install pgbackrest) to run the tests of backups on real servers.");
        Assert.SkipWhen(MotoProcess.Missing is not null, MotoProcess.Missing ?? "");
        using var cli = new Cli();
        var ran = await cli.RunAsync("demo", "backup");
        output.WriteLine(ran.Error);
        output.WriteLine(ran.Output);
        Assert.True(ran.ExitCode == 0, ran.Error + ran.Output);
        var result = JsonDocument.Parse(ran.Output.TrimEnd().Split('\n')[^1]).RootElement;
        Assert.Equal(["outcome", "sets", "proved", "measuredRpoSeconds", "measuredRtoSeconds", "rowsMissingOlderThanRpo"], result.EnumerateObject().Select(field => field.Name));
        // The one that was made, and the one of what was overwritten.
        Assert.Equal(("restored", 2, 2, 0), (result.GetProperty("outcome").GetString(), Count("sets"), Count("proved"), Count("rowsMissingOlderThanRpo")));
        Assert.InRange(result.GetProperty("measuredRpoSeconds").GetProperty("postgresql").GetDouble(), 0, 60);
        foreach (var measured in new[] { "postgresql", "postgresql-outOfService" })
            Assert.InRange(result.GetProperty("measuredRtoSeconds").GetProperty(measured).GetDouble(), 0.001, 15 * 60);

        int Count(string field) => result.GetProperty(field).GetInt32();
    }
}

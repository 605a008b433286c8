using System.Text.Json;
using Npgsql;
using PlatformOps.Guard.Configuration;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Starter.Demos;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>The data that <c>demo backup --megabytes</c> measures, without the minute that measuring takes.</summary>
[Collection(nameof(PostgresCluster))]
public sealed class BackupDemoDataTests(PostgresCluster postgres)
{
    [Fact]
    public async Task An_amount_that_is_possible_is_taken_and_what_is_wrong_besides_is_said()
    {
        using var cli = new Cli();
        var ran = await cli.RunAsync("demo", "backup", "--megabytes", "100000", "--specification", "nowhere");
        Assert.Equal(3, ran.ExitCode);
        Assert.DoesNotContain("--megabytes", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_many_megabytes_are_in_the_database_as_were_asked_for_and_none_of_them_can_be_compressed()
    {
        await postgres.StartAsync();
        await using var connection = await postgres.ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        var before = await AskAsync("SELECT coalesce(sum(length(data)), 0)::bigint FROM pg_largeobject");
        await BackupDemo.FillAsync(statement => AskAsync(statement), megabytes: 3);
        Assert.Equal(3L << 20, await AskAsync("SELECT coalesce(sum(length(data)), 0)::bigint FROM pg_largeobject") - before);
        // Pages of it, compressed by the server where that saves anything.
        Assert.InRange(await AskAsync("SELECT sum(pg_column_size(data))::bigint FROM pg_largeobject") - before, 3L << 20, 4L << 20);
        Assert.Equal(await AskAsync("SELECT count(*) FROM pg_largeobject"), await AskAsync("SELECT count(DISTINCT data) FROM pg_largeobject"));
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);

        async Task<long> AskAsync(string statement)
        {
            await using var command = new NpgsqlCommand(statement, connection, transaction);
            return Convert.ToInt64(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken), System.Globalization.CultureInfo.InvariantCulture);
        }
    }
}

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

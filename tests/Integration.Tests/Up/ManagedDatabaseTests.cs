using System.Text.Json;
using PlatformOps.Integration.Tests.CommandLine;

namespace PlatformOps.Integration.Tests.Up;

/// <summary>The catalog's managed database, on the sandbox's AWS and with a cluster for each region.</summary>
public sealed class ManagedDatabaseTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Cli cli = new();

    private string Data => Path.Combine(cli.Home, "data");

    public void Dispose() => cli.Dispose();

    [Fact]
    public async Task A_managed_database_takes_the_place_of_the_one_in_the_cluster_in_both_regions()
    {
        var folder = Path.Combine(cli.Home, "managed");
        ManagedPlatform.Write(folder);
        string[] up = ["up", "managed", "--once", "--specification", folder, "--data", Data, "--port", "0", "--time-scale", "0", "--output", "json"];
        var first = await cli.Start(up).EndAsync(Patience);
        Assert.True(first.ExitCode == 0, first.Error + first.Output);
        Assert.Equal(0, (await cli.Start(up).EndAsync(Patience)).Json.GetProperty("mutatingCalls").GetInt64());

        using var running = cli.Start([.. up.Where(argument => argument != "--once")]);
        await running.WaitForAsync("\"outcome\":\"healthy\"", Patience);
        var (here, there) = (await ManagedPlatform.DatabaseAsync(Data, "us-east-1"), await ManagedPlatform.DatabaseAsync(Data, "us-west-2"));
        Assert.Equal("reference-managed.sandbox.us-east-1.rds.amazonaws.com", here.Address);
        Assert.Equal("reference-managed.sandbox.us-west-2.rds.amazonaws.com", there.Address);
        Assert.Equal(("temporal", 32), (here.User, here.Password.Length));
        Assert.Equal(here, there with { Address = here.Address });
        await ScaleAsync();
        await CertificatesAsync(folder);
        running.Terminate();
        await running.EndAsync(Patience);
        Assert.DoesNotContain(here.Password, running.Written, StringComparison.Ordinal);
    }

    private async Task ScaleAsync()
    {
        Task<CliResult> Scale(string wanted, string region = "us-east-1") => cli.RunAsync(["scale", "managed", "managed-database", "--region", region, "--class", wanted, "--reason", "more load", "--data", Data, "--output", "json"]);
        var refused = await Scale("db.m6g.large");
        Assert.True(refused.ExitCode == 6, refused.Output + refused.Error);
        // Its replica would stop copying.
        var first = await Scale("db.r6g.xlarge");
        Assert.Contains("reference-managed of us-west-2 copies reference-managed and is db.r6g.large", first.Json.GetProperty("report").GetProperty("summary").GetString(), StringComparison.Ordinal);
        foreach (var region in new[] { "us-west-2", "us-east-1" })
        {
            var scaled = await Scale("db.r6g.xlarge", region);
            Assert.True(scaled.ExitCode == 0, scaled.Output + scaled.Error);
            var report = scaled.Json.GetProperty("report");
            Assert.Equal(("scaled", "db.r6g.large", "db.r6g.xlarge"), (report.GetProperty("outcome").GetString(), report.GetProperty("fromClass").GetString(), report.GetProperty("nowClass").GetString()));
        }

        Assert.Equal(6, (await Scale("db.r6g.large", "us-west-2")).ExitCode);
        Assert.Equal("asWanted", (await Scale("db.r6g.xlarge")).Json.GetProperty("outcome").GetString());
        var drift = await cli.RunAsync(["drift", "managed", "--data", Data, "--output", "json"]);
        Assert.Equal("asDeclared", drift.Json.GetProperty("outcome").GetString());
    }

    /// <summary>AWS renews the server certificates, and each region says whom to trust: where that is not who has signed, a person is told what to do.</summary>
    private async Task CertificatesAsync(string folder)
    {
        await ManagedPlatform.TrustAsync(Data, "us-west-2", "nobody");
        var list = await cli.RunAsync(["certificates", "list", "managed", "--specification", folder, "--data", Data, "--output", "json"]);
        Assert.True(list.ExitCode == 0, list.Output + list.Error);
        var found = list.Json.GetProperty("certificates").EnumerateArray().ToDictionary(
            item => $"{item.GetProperty("certificate").GetString()}@{item.GetProperty("region").GetString()}",
            item => (Days: item.TryGetProperty("daysLeft", out var left) && left.ValueKind == JsonValueKind.Number ? left.GetDouble() : (double?)null, Next: item.TryGetProperty("next", out var next) ? next.GetString() : null));
        foreach (var region in (string[])["us-east-1", "us-west-2"])
        {
            Assert.InRange(found[$"rds/reference-managed@{region}"].Days!.Value, 364, 365);
            Assert.Null(found[$"rds/reference-managed@{region}"].Next);
            Assert.InRange(found[$"rds-authority/rds-ca-rsa2048-g1@{region}"].Days!.Value, 12000, 13000);
        }

        Assert.Equal((found["rds-authority/rds-ca-rsa2048-g1@us-east-1"].Days, null), found["ConfigMap/postgresql-server@us-east-1"]);
        Assert.Null(found["ConfigMap/postgresql-server@us-west-2"].Days);
        Assert.StartsWith("ConfigMap temporal-backend/postgresql-server, ca.pem does not name rds-ca-rsa2048-g1", found["ConfigMap/postgresql-server@us-west-2"].Next, StringComparison.Ordinal);
    }
}

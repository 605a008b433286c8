using System.Globalization;
using System.Text;

namespace PlatformOps.Bench.Backups;

/// <summary>How fast a database is backed up and restored, beside pgBackRest alone, and what a proof costs.</summary>
internal static class BackupBenchmark
{
    private static readonly int[] Amounts = [32, 128];

    public static async Task<IBenchmarkResult> RunAsync(int rounds)
    {
        var rows = new List<BackupRow>();
        foreach (var megabytes in Amounts)
        {
            var times = new List<BackupRow>();
            for (var round = 1; round <= rounds; round++)
            {
                await Console.Error.WriteLineAsync($"{megabytes} MB, round {round} of {rounds} ...");
                var measured = await Demo.MeasuredAsync("backup", "--megabytes", megabytes.ToString(CultureInfo.InvariantCulture));
                times.Add(new(
                    (long)measured["bytes"]! / 1e9, (double)measured["backupSeconds"]!, (double)measured["bareBackupSeconds"]!, (double)measured["restoreSeconds"]!, (double)measured["bareRestoreSeconds"]!,
                    (double)measured["verifySeconds"]!));
            }

            rows.Add(new(
                Median(times, row => row.Gigabytes), Median(times, row => row.BackupSeconds), Median(times, row => row.BareBackupSeconds), Median(times, row => row.RestoreSeconds), Median(times, row => row.BareRestoreSeconds),
                Median(times, row => row.VerifySeconds)));
        }

        return new BackupResult("backup", rounds, Environment.ProcessorCount, rows);
    }

    private static double Median(List<BackupRow> rows, Func<BackupRow, double> of) => rows.Select(of).Order().ElementAt(rows.Count / 2);
}

/// <param name="BackupSeconds">The runbook; the median of the rounds, as all of these.</param>
/// <param name="BareBackupSeconds">pgBackRest alone on the same data.</param>
/// <param name="RestoreSeconds">From the order to a server that lets in.</param>
/// <param name="VerifySeconds">The runbook that proves the set, its restore included.</param>
internal sealed record BackupRow(double Gigabytes, double BackupSeconds, double BareBackupSeconds, double RestoreSeconds, double BareRestoreSeconds, double VerifySeconds)
{
    /// <summary>Throughput beside that of the bare tool.</summary>
    public double BackupRatio => BareBackupSeconds / BackupSeconds;

    /// <summary>The same of restores.</summary>
    public double RestoreRatio => BareRestoreSeconds / RestoreSeconds;

    public double VerifySecondsPerGigabyte => VerifySeconds / Gigabytes;
}

internal sealed record BackupResult(string Benchmark, int Rounds, int Processors, IReadOnlyList<BackupRow> Rows) : IBenchmarkResult
{
    public string ToText()
    {
        var text = new StringBuilder().Append(
            CultureInfo.InvariantCulture, $"Backup, median of {Rounds} rounds on {Processors} cores, in seconds\n{"GB",6} {"backup",8} {"bare",8} {"ratio",6} {"restore",8} {"bare",8} {"ratio",6} {"verify",8} {"per GB",8}\n");
        foreach (var row in Rows)
            text.Append(
                CultureInfo.InvariantCulture,
                $"{row.Gigabytes,6:0.00} {row.BackupSeconds,8:0.0} {row.BareBackupSeconds,8:0.0} {row.BackupRatio,6:0.00} {row.RestoreSeconds,8:0.0} {row.BareRestoreSeconds,8:0.0} {row.RestoreRatio,6:0.00} {row.VerifySeconds,8:0.0} {row.VerifySecondsPerGigabyte,8:0.0}\n");
        return text.ToString();
    }
}

namespace PlatformOps.Bench.Provisioning;

/// <summary>
/// Brings the development environment up again and again, each time from nothing. The pods' ready times are simulated and the same in
/// every round, so that what a round takes beyond their critical path is ours.
/// </summary>
internal static class ProvisioningBenchmark
{
    public static async Task<IBenchmarkResult> RunAsync(int rounds)
    {
        var measured = new List<ProvisioningRound>();
        for (var round = 1; round <= rounds; round++)
        {
            await Console.Error.WriteLineAsync($"round {round} of {rounds} ...");
            measured.Add(await MeasureAsync());
        }

        return new ProvisioningResult(
            "provisioning", Environment.ProcessorCount, measured,
            Median(measured, round => round.MakespanSeconds), Median(measured, round => round.CriticalPathSeconds),
            Median(measured, round => round.MakespanSeconds / round.CriticalPathSeconds), Median(measured, round => round.UpSeconds),
            Median(measured, round => round.SecondUpSeconds), Median(measured, round => round.PeakMemoryMiB));
    }

    private static async Task<ProvisioningRound> MeasureAsync()
    {
        var data = Directory.CreateTempSubdirectory("platformops-bench-").FullName;
        try
        {
            await using var up = UpProcess.Start(data);
            await using var pods = await PodWatch.StartAsync(data, up);
            var first = await up.OutcomeAsync();
            var steps = await Steps.ReadAsync(data);
            var ready = pods.ReadySecondsByComponent();
            var memory = up.PeakMemoryMiB();
            await up.EndAsync();

            await using var again = UpProcess.Start(data);
            var second = await again.OutcomeAsync();
            await again.EndAsync();
            return new ProvisioningRound(
                steps.MakespanSeconds, steps.CriticalPathSeconds(ready), first.Seconds, second.Seconds, second.MutatingCalls, memory, ready);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static double Median(IEnumerable<ProvisioningRound> rounds, Func<ProvisioningRound, double> value)
    {
        var ordered = rounds.Select(value).Order().ToList();
        return Math.Round((ordered[(ordered.Count - 1) / 2] + ordered[ordered.Count / 2]) / 2, 2);
    }
}

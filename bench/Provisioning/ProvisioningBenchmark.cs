using System.Text.Json.Nodes;

namespace PlatformOps.Bench.Provisioning;

/// <summary>
/// Brings an environment up again and again, each time from nothing. The pods' ready times are simulated and the same in
/// every round, so that what a round takes beyond their critical path is ours.
/// </summary>
internal static class ProvisioningBenchmark
{
    /// <summary>Which environment; default development.</summary>
    private const string EnvironmentVariable = "BENCH_ENVIRONMENT";

    /// <summary>Of the region whose cluster is watched, and filled by kubectl.</summary>
    private const string Kubeconfig = "us-east-1.kubeconfig";

    public static async Task<IBenchmarkResult> RunAsync(int rounds)
    {
        var environment = Environment.GetEnvironmentVariable(EnvironmentVariable) ?? "development";
        var measured = new List<ProvisioningRound>();
        for (var round = 1; round <= rounds; round++)
        {
            await Console.Error.WriteLineAsync($"round {round} of {rounds} ...");
            measured.Add(await MeasureAsync(environment));
        }

        return new ProvisioningResult(
            "provisioning", environment, Environment.ProcessorCount, measured,
            Median(measured, round => round.MakespanSeconds), Median(measured, round => round.CriticalPathSeconds),
            Median(measured, round => round.MakespanSeconds / round.CriticalPathSeconds), Median(measured, round => round.UpSeconds),
            Median(measured, round => round.SecondUpSeconds), Median(measured, round => round.PeakMemoryMiB), Median(measured, round => round.Events),
            new(
                measured[0].Profile.Steps, Median(measured, round => round.Profile.PlanSeconds), Median(measured, round => round.Profile.HandOverSeconds), Median(measured, round => round.Profile.ApplySeconds),
                Median(measured, round => round.Profile.HealthSeconds), Median(measured, round => round.Profile.ReadySeconds)),
            Median(measured, round => round.CallsPerObject), Median(measured, round => round.SecondCallsPerObject),
            measured.TrueForAll(round => round.KubectlSeconds is not null) ? Median(measured, round => round.KubectlSeconds!.Value) : null,
            measured.TrueForAll(round => round.KubectlSeconds is not null) ? Median(measured, round => round.KubectlSeconds!.Value / round.MakespanSeconds) : null);
    }

    private static async Task<ProvisioningRound> MeasureAsync(string environment)
    {
        var data = Directory.CreateTempSubdirectory("platformops-bench-").FullName;
        try
        {
            await using var up = UpProcess.Start(environment, data);
            await using var pods = await PodWatch.StartAsync(data, up);
            var first = await up.OutcomeAsync();
            var steps = await Steps.ReadAsync(environment, data);
            var ready = pods.ReadySecondsByComponent();
            var memory = up.PeakMemoryMiB();
            var events = await RunHistory.EventsAsync(environment, data);
            var profile = await RunHistory.ProfileAsync(environment, data, steps, ready);
            var kubectl = await Kubectl.IsThereAsync() ? await AppliedObjects.ReadAsync(Path.Combine(data, Kubeconfig)) : null;
            await up.EndAsync();

            await using var again = UpProcess.Start(environment, data);
            var second = await again.OutcomeAsync();
            await again.EndAsync();
            var sequence = kubectl is null ? (double?)null : await SequenceAsync(environment, steps, kubectl);
            return new ProvisioningRound(
                steps.MakespanSeconds, steps.CriticalPathSeconds(ready), first.Seconds, second.Seconds, second.MutatingCalls, memory, ready,
                first.Components, first.Objects, events, CallsPerObject(first), CallsPerObject(second), sequence, profile);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>In a world of its own, which is as empty as the run's was.</summary>
    private static async Task<double> SequenceAsync(string environment, Steps steps, ILookup<string, JsonObject> objects)
    {
        var data = Directory.CreateTempSubdirectory("platformops-bench-").FullName;
        try
        {
            await using var up = await UpProcess.StartEmptyAsync(environment, data);
            return await KubectlSequence.ApplyAsync(Path.Combine(data, Kubeconfig), steps.Components, objects);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static double CallsPerObject(UpOutcome outcome) => (outcome.MutatingCalls + outcome.ReadCalls) / (double)outcome.Objects;

    private static double Median(IEnumerable<ProvisioningRound> rounds, Func<ProvisioningRound, double> value)
    {
        var ordered = rounds.Select(value).Order().ToList();
        return Math.Round((ordered[(ordered.Count - 1) / 2] + ordered[ordered.Count / 2]) / 2, 2);
    }
}

using System.Text.Json.Nodes;

namespace PlatformOps.Bench.Provisioning;

/// <summary>
/// Brings an environment up again and again, each time from nothing. The pods' ready times are simulated and the same in
/// every round, so that what a round takes beyond their critical path is ours.
/// </summary>
internal static class ProvisioningBenchmark
{
    /// <summary>Of the region whose cluster is filled by kubectl.</summary>
    private const string Kubeconfig = "us-east-1.kubeconfig";

    public static async Task<IBenchmarkResult> RunAsync(BenchmarkOptions options)
    {
        var measured = new List<ProvisioningRound>();
        for (var round = 1; round <= options.Rounds; round++)
        {
            await Console.Error.WriteLineAsync($"round {round} of {options.Rounds} ...");
            measured.Add(await MeasureAsync(options));
        }

        return new ProvisioningResult(
            "provisioning", options.Environment, options.Pace, Environment.ProcessorCount, measured,
            Median(measured, round => round.MakespanSeconds), Median(measured, round => round.CriticalPathSeconds),
            Median(measured, round => round.MakespanSeconds / round.CriticalPathSeconds), measured[0].Parallel,
            Median(measured, round => round.BoundSeconds), Median(measured, round => round.MakespanSeconds / round.BoundSeconds), Median(measured, round => round.UpSeconds),
            Median(measured, round => round.SecondUpSeconds), Median(measured, round => round.PeakMemoryMiB), Median(measured, round => round.Events),
            new(
                measured[0].Profile.Steps, Median(measured, round => round.Profile.PlanSeconds), Median(measured, round => round.Profile.HandOverSeconds), Median(measured, round => round.Profile.ApplySeconds),
                Median(measured, round => round.Profile.HealthSeconds), Median(measured, round => round.Profile.ReadySeconds)),
            Median(measured, round => round.CallsPerObject), Median(measured, round => round.SecondCallsPerObject),
            measured.TrueForAll(round => round.KubectlSeconds is not null) ? Median(measured, round => round.KubectlSeconds!.Value) : null,
            measured.TrueForAll(round => round.KubectlSeconds is not null) ? Median(measured, round => round.KubectlSeconds!.Value / round.MakespanSeconds) : null);
    }

    private static async Task<ProvisioningRound> MeasureAsync(BenchmarkOptions options)
    {
        var environment = options.Environment;
        using var scratch = new Scratch();
        var specification = BenchSpecification.Of(options, scratch.Folder);
        var data = Directory.CreateTempSubdirectory("platformops-bench-").FullName;
        try
        {
            await using var up = UpProcess.Start(options, specification, data);
            await using var pods = await PodWatch.StartAsync(data, up);
            var first = await up.OutcomeAsync();
            var steps = await Steps.ReadAsync(environment, data);
            var ready = await pods.ReadySecondsByStepAsync();
            var memory = up.PeakMemoryMiB();
            var events = await RunHistory.EventsAsync(environment, data);
            var profile = await RunHistory.ProfileAsync(environment, data, steps, ready);
            var kubectl = options.Kubectl && await Kubectl.IsThereAsync() ? await AppliedObjects.ReadAsync(Path.Combine(data, Kubeconfig)) : null;
            await up.EndAsync();

            await using var again = UpProcess.Start(options, specification, data);
            var second = await again.OutcomeAsync();
            await again.EndAsync();
            var sequence = kubectl is null ? (double?)null : await SequenceAsync(options, specification, steps, kubectl);
            return new ProvisioningRound(
                steps.MakespanSeconds, steps.CriticalPathSeconds(ready), specification.Parallel, steps.BoundSeconds(ready, specification.Parallel), first.Seconds, second.Seconds, second.MutatingCalls, memory, ready,
                first.Components, first.Objects, events, CallsPerObject(first), CallsPerObject(second), sequence, profile);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>In a world of its own, which is as empty as the run's was.</summary>
    private static async Task<double> SequenceAsync(BenchmarkOptions options, BenchSpecification specification, Steps steps, ILookup<string, JsonObject> objects)
    {
        var data = Directory.CreateTempSubdirectory("platformops-bench-").FullName;
        try
        {
            await using var up = await UpProcess.StartEmptyAsync(options, specification, data);
            return await KubectlSequence.ApplyAsync(Path.Combine(data, Kubeconfig), steps.Components, objects);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>A folder that is gone afterwards.</summary>
    private sealed class Scratch : IDisposable
    {
        public string Folder { get; } = Directory.CreateTempSubdirectory("platformops-bench-").FullName;

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }

    private static double CallsPerObject(UpOutcome outcome) => (outcome.MutatingCalls + outcome.ReadCalls) / (double)outcome.Objects;

    private static double Median(IEnumerable<ProvisioningRound> rounds, Func<ProvisioningRound, double> value)
    {
        var ordered = rounds.Select(value).Order().ToList();
        return Math.Round((ordered[(ordered.Count - 1) / 2] + ordered[ordered.Count / 2]) / 2, 2);
    }
}

using System.Globalization;

namespace PlatformOps.Bench.Provisioning;

/// <summary>One <c>up</c> from nothing, and another on what it left.</summary>
/// <param name="MakespanSeconds">From the run's start to its last healthy component.</param>
/// <param name="CriticalPathSeconds">The longest chain of dependent components, by their ready times: less is not possible.</param>
/// <param name="Parallel">How many steps the environment's guard rails let be worked on at once.</param>
/// <param name="BoundSeconds">With so many: the critical path, or all ready times divided by them, whichever is longer.</param>
/// <param name="UpSeconds">From the start of the process to its outcome.</param>
/// <param name="SecondUpSeconds">The same on the data directory that the first left.</param>
/// <param name="SecondMutatingCalls">Must be 0.</param>
/// <param name="PeakMemoryMiB">Resident memory of the whole process at its peak: servers, sandbox and worker.</param>
/// <param name="ReadySeconds">By step (component and region): from its first pod's appearance to its last pod's readiness.</param>
/// <param name="Events">In the histories of the run and its children.</param>
/// <param name="CallsPerObject">Calls of the platform's APIs, reading and waiting for health too.</param>
/// <param name="SecondCallsPerObject">The same when there was nothing to change.</param>
/// <param name="Profile">Where the time of the chain of steps went that decided the makespan.</param>
/// <param name="KubectlSeconds">The objects of one region's cluster with kubectl apply and wait, component after component, in an empty sandbox; null: there is no kubectl.</param>
internal sealed record ProvisioningRound(
    double MakespanSeconds, double CriticalPathSeconds, int Parallel, double BoundSeconds, double UpSeconds, double SecondUpSeconds, long SecondMutatingCalls,
    double PeakMemoryMiB, IReadOnlyDictionary<string, double> ReadySeconds, int Components, int Objects, long Events, double CallsPerObject,
    double SecondCallsPerObject, double? KubectlSeconds, RunProfile Profile);

/// <summary>All rounds, and the medians of them.</summary>
/// <param name="Pace">How many times longer pods took than 1 to 2.5 s.</param>
/// <param name="Ratio">Makespan to critical path; 1 would be perfect.</param>
/// <param name="BoundRatio">Makespan to <paramref name="BoundSeconds"/>.</param>
/// <param name="Profile">Medians; the steps of the first round.</param>
/// <param name="KubectlRatio">kubectl's time to the makespan: above 1 the run is faster.</param>
internal sealed record ProvisioningResult(
    string Benchmark, string Environment, double Pace, int Cores, IReadOnlyList<ProvisioningRound> Rounds, double MakespanSeconds, double CriticalPathSeconds, double Ratio,
    int Parallel, double BoundSeconds, double BoundRatio,
    double UpSeconds, double SecondUpSeconds, double PeakMemoryMiB, double Events, RunProfile Profile, double CallsPerObject, double SecondCallsPerObject,
    double? KubectlSeconds, double? KubectlRatio) : IBenchmarkResult
{
    /// <inheritdoc/>
    public string ToText() => string.Create(CultureInfo.InvariantCulture, $"""
        provisioning: {Environment} from nothing, pods that take {Pace:0.#} to {2.5 * Pace:0.#} s, {Rounds[0].Components} components, {Rounds[0].Objects} objects; median of {Rounds.Count} rounds on {Cores} cores
          makespan of the run         {MakespanSeconds,8:0.00} s
          critical path of readiness  {CriticalPathSeconds,8:0.00} s
          ratio                       {Ratio,8:0.00}
          least with {Parallel,3} at once     {BoundSeconds,8:0.00} s   (makespan is {BoundRatio:0.00} times that)
          of the longest chain, {Profile.Steps.Count} steps: until the first step begins {Profile.PlanSeconds:0.00} s, applying {Profile.ApplySeconds:0.00} s, waiting for health {Profile.HealthSeconds:0.00} s (of which pods {Profile.ReadySeconds:0.00} s), handing over {Profile.HandOverSeconds:0.00} s
          kubectl apply and wait      {(KubectlSeconds is { } kubectl ? $"{kubectl,8:0.00} s   ({KubectlRatio:0.00} times the makespan)" : "not measured")}
          up, from process start      {UpSeconds,8:0.00} s
          up again, nothing to change {SecondUpSeconds,8:0.00} s   ({Rounds.Max(round => round.SecondMutatingCalls)} changing calls)
          memory at its peak          {PeakMemoryMiB,8:0} MiB
          events of the run's history {Events,8:0}
          API calls for each object   {CallsPerObject,8:0.00}     ({SecondCallsPerObject:0.00} when nothing is to change)
        """);
}

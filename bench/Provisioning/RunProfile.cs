using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Client;

namespace PlatformOps.Bench.Provisioning;

/// <summary>Where the time of a run went, along the chain of steps of which each waited for the one before: the chain that decided when the run ended.</summary>
/// <param name="Steps">The chain, first step first; each with its own part of the seconds below.</param>
/// <param name="PlanSeconds">From the run's start to its first step.</param>
/// <param name="HandOverSeconds">From a step's end to the next one's start, and from a step's start to its first activity, between its activities, and to its end.</param>
/// <param name="ApplySeconds">Observing and applying.</param>
/// <param name="HealthSeconds">Waiting for health; the pods' own time is in it.</param>
/// <param name="ReadySeconds">The pods' own time along this chain.</param>
internal sealed record RunProfile(IReadOnlyList<StepProfile> Steps, double PlanSeconds, double HandOverSeconds, double ApplySeconds, double HealthSeconds, double ReadySeconds)
{
    /// <param name="dependencies">By step.</param>
    /// <param name="ready">Seconds by step.</param>
    public static async Task<RunProfile> ReadAsync(
        ITemporalClient client, string environment, IReadOnlyDictionary<string, IReadOnlyList<string>> dependencies, IReadOnlyDictionary<string, double> ready)
    {
        var run = await client.GetWorkflowHandle($"provision/{environment}").FetchHistoryAsync();
        var began = run.Events.First().EventTime.ToDateTime();
        var times = new Dictionary<string, StepTimes>();
        foreach (var step in dependencies.Keys)
            times[step] = StepTimes.Of((await client.GetWorkflowHandle($"provision/{environment}/{step}").FetchHistoryAsync()).Events);
        var chain = new List<string>();
        for (var step = times.MaxBy(entry => entry.Value.Ended).Key; ; step = dependencies[step].MaxBy(before => times[before].Ended)!)
        {
            chain.Insert(0, step);
            if (dependencies[step].Count == 0)
                break;
        }

        var profiles = chain.Select((step, index) =>
        {
            var its = times[step];
            var handOver = (index == 0 ? 0 : Seconds(times[chain[index - 1]].Ended, its.Began)) + Seconds(its.Began, its.ApplyBegan) + Seconds(its.ApplyEnded, its.HealthBegan) + Seconds(its.HealthEnded, its.Ended);
            return new StepProfile(step, Round(handOver), Seconds(its.ApplyBegan, its.ApplyEnded), Seconds(its.HealthBegan, its.HealthEnded), ready.GetValueOrDefault(step));
        }).ToList();
        return new(profiles, Seconds(began, times[chain[0]].Began), Round(profiles.Sum(step => step.HandOverSeconds)), Round(profiles.Sum(step => step.ApplySeconds)),
            Round(profiles.Sum(step => step.HealthSeconds)), Round(profiles.Sum(step => step.ReadySeconds)));
    }

    private static double Seconds(DateTime from, DateTime to) => Round((to - from).TotalSeconds);

    private static double Round(double seconds) => Math.Round(seconds, 3);

    private sealed record StepTimes(DateTime Began, DateTime ApplyBegan, DateTime ApplyEnded, DateTime HealthBegan, DateTime HealthEnded, DateTime Ended)
    {
        public static StepTimes Of(IReadOnlyCollection<HistoryEvent> events)
        {
            var began = At(events.Where(one => one.EventType == EventType.ActivityTaskStarted));
            var ended = At(events.Where(one => one.EventType == EventType.ActivityTaskCompleted));
            return new(At(events)[0], began[0], ended[0], began[1], ended[1], At(events)[^1]);
        }

        private static List<DateTime> At(IEnumerable<HistoryEvent> events) => [.. events.Select(one => one.EventTime.ToDateTime())];
    }
}

/// <summary>One step of the chain; its seconds as in <see cref="RunProfile"/>.</summary>
internal sealed record StepProfile(string Step, double HandOverSeconds, double ApplySeconds, double HealthSeconds, double ReadySeconds);

using PlatformOps.BootstrapServer.Schedules;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Tests.Schedules;

public class OverlapPlanTests
{
    /// <summary>Three actions are due at once: which start now, which wait, how many are dropped.</summary>
    [Theory]
    [InlineData(ScheduleOverlapPolicy.Skip, false, "1", "", 2)]
    [InlineData(ScheduleOverlapPolicy.Skip, true, "", "", 3)]
    [InlineData(ScheduleOverlapPolicy.BufferOne, false, "1", "2", 1)]
    [InlineData(ScheduleOverlapPolicy.BufferOne, true, "", "1", 2)]
    [InlineData(ScheduleOverlapPolicy.BufferAll, false, "1", "2,3", 0)]
    [InlineData(ScheduleOverlapPolicy.BufferAll, true, "", "1,2,3", 0)]
    [InlineData(ScheduleOverlapPolicy.CancelOther, true, "", "3", 2)]
    [InlineData(ScheduleOverlapPolicy.TerminateOther, true, "", "3", 2)]
    [InlineData(ScheduleOverlapPolicy.AllowAll, true, "1,2,3", "", 0)]
    public void Starts_keeps_or_drops_as_the_policy_says(ScheduleOverlapPolicy policy, bool running, string start, string keep, int skipped)
    {
        var plan = OverlapPlan.Make(Enumerable.Range(1, 3).Select(n => new BufferedAction { Overlap = policy, RequestId = $"{n}" }), running);
        Assert.Equal((start, keep, skipped), (Ids(plan.Start), Ids(plan.Keep), plan.Skipped));
        Assert.Equal((policy == ScheduleOverlapPolicy.CancelOther, policy == ScheduleOverlapPolicy.TerminateOther), (plan.CancelRunning, plan.TerminateRunning));
    }

    private static string Ids(IEnumerable<BufferedAction> actions) => string.Join(",", actions.Select(a => a.RequestId));
}

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
    [InlineData(ScheduleOverlapPolicy.CancelOther, true, "", "1,2,3", 0)]
    [InlineData(ScheduleOverlapPolicy.CancelOther, false, "3", "", 0)]
    [InlineData(ScheduleOverlapPolicy.TerminateOther, true, "", "1,2,3", 0)]
    [InlineData(ScheduleOverlapPolicy.TerminateOther, false, "3", "", 0)]
    [InlineData(ScheduleOverlapPolicy.AllowAll, true, "1,2,3", "", 0)]
    public void Starts_keeps_or_drops_as_the_policy_says(ScheduleOverlapPolicy policy, bool running, string start, string keep, int skipped)
    {
        var plan = OverlapPlan.Make(Enumerable.Range(1, 3).Select(n => new BufferedAction { RequestId = $"{n}" }), running, policy);
        Assert.Equal((start, keep, skipped), (Ids(plan.Start), Ids(plan.Keep), plan.Skipped));
        Assert.Equal((running && policy == ScheduleOverlapPolicy.CancelOther, running && policy == ScheduleOverlapPolicy.TerminateOther), (plan.CancelRunning, plan.TerminateRunning));
    }

    [Fact]
    public void An_action_with_a_policy_of_its_own_is_not_held_to_the_schedules()
    {
        BufferedAction[] due = [new() { RequestId = "1" }, new() { RequestId = "2", Overlap = ScheduleOverlapPolicy.AllowAll }, new() { RequestId = "3" }];
        var plan = OverlapPlan.Make(due, running: true, ScheduleOverlapPolicy.Skip);
        Assert.Equal(("2", "", 2), (Ids(plan.Start), Ids(plan.Keep), plan.Skipped));
        Assert.True(plan.RunsBeside(due[1]));
        Assert.False(OverlapPlan.Make([due[0]], running: false, ScheduleOverlapPolicy.Skip).RunsBeside(due[0]));
    }

    [Fact]
    public void Nothing_starts_beside_a_workflow_that_is_being_ended()
    {
        BufferedAction[] due = [new() { RequestId = "1", Overlap = ScheduleOverlapPolicy.AllowAll }, new() { RequestId = "2", Overlap = ScheduleOverlapPolicy.TerminateOther }];
        var plan = OverlapPlan.Make(due, running: true, ScheduleOverlapPolicy.Skip);
        Assert.Equal(("", "2", true), (Ids(plan.Start), Ids(plan.Keep), plan.TerminateRunning));
    }

    private static string Ids(IEnumerable<BufferedAction> actions) => string.Join(",", actions.Select(a => a.RequestId));
}

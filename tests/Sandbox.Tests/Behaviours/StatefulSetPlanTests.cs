using PlatformOps.Sandbox.Behaviours.Workloads;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class StatefulSetPlanTests
{
    // One letter per ordinal: - missing, o old and healthy, n new and healthy, O and N the same but unhealthy, d being deleted, f finished.
    [Theory]
    [InlineData("---", 3, false, false, 0, "0", "")]
    [InlineData("N--", 3, false, false, 0, "", "")]
    [InlineData("n--", 3, false, false, 0, "1", "")]
    [InlineData("nnn", 3, false, false, 0, "", "")]
    [InlineData("---", 3, true, false, 0, "0 1 2", "")]
    [InlineData("n-n", 3, false, false, 0, "1", "")]
    [InlineData("f-n", 3, false, false, 0, "", "0")]
    [InlineData("d--", 3, false, false, 0, "", "")]
    [InlineData("nnn", 1, false, false, 0, "", "2")]
    [InlineData("nnd", 1, false, false, 0, "", "")]
    [InlineData("nnn", 1, true, false, 0, "", "2 1")]
    [InlineData("Nnn", 1, false, false, 0, "", "")]
    [InlineData("ooo", 3, false, false, 0, "", "2")]
    [InlineData("oon", 3, false, false, 0, "", "1")]
    [InlineData("ooN", 3, false, false, 0, "", "")]
    [InlineData("ood", 3, false, false, 0, "", "")]
    [InlineData("oo-", 3, false, false, 0, "2", "")]
    [InlineData("oon", 3, false, false, 2, "", "")]
    [InlineData("ooo", 3, false, true, 0, "", "")]
    [InlineData("ooo", 3, true, false, 0, "", "2")]
    [InlineData("", 0, false, false, 0, "", "")]
    public void Does_one_thing_at_a_time_and_in_order(string pods, int replicas, bool parallel, bool onDelete, int partition, string create, string delete)
    {
        var members = pods.Select((letter, ordinal) => new SetMember(ordinal, letter is 'n' or 'N', letter is 'n' or 'o', letter == 'd', letter == 'f'))
            .Where(member => pods[member.Ordinal] != '-');

        var plan = StatefulSetPlan.Next(new(replicas, parallel, onDelete, partition), members);

        Assert.Equal((create, delete), (string.Join(' ', plan.Create), string.Join(' ', plan.Delete)));
    }
}

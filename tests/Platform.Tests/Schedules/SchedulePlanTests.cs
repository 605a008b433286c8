using PlatformOps.Platform.Schedules;

namespace PlatformOps.Platform.Tests.Schedules;

public class SchedulePlanTests
{
    private static readonly ScheduleForm Drift = ScheduleForm.Of("production", Every(TimeSpan.FromHours(1)), "platformops");

    public static TheoryData<string, string?, string?, ScheduleAction, string> Found => new()
    {
        // What stands there, by whom it was declared, and the field that is another.
        { "nothing", null, null, ScheduleAction.Create, "" },
        { "as declared", "production", null, ScheduleAction.Keep, "" },
        { "another interval", "production", "when", ScheduleAction.Update, "when: every 2h -> every 1h" },
        { "another input", "production", "input", ScheduleAction.Update, "input: {\"environment\":\"staging\"} -> {\"environment\":\"production\"}" },
        { "made by hand", null, "when", ScheduleAction.Update, "when: every 2h -> every 1h" },
        { "made by hand, and the same", null, null, ScheduleAction.Update, "" },
        { "of another environment", "staging", null, ScheduleAction.Refuse, "" },
        { "somebody else's", null, "type", ScheduleAction.Refuse, "" },
    };

    [Theory]
    [MemberData(nameof(Found))]
    public void One_schedule_is_created_changed_kept_or_refused(string what, string? declaredBy, string? other, ScheduleAction action, string field)
    {
        var form = other switch
        {
            "when" => Drift with { When = "every 2h" },
            "input" => Drift with { Input = """{"environment":"staging"}""" },
            "type" => Drift with { WorkflowType = "Theirs" },
            _ => Drift,
        };
        FoundSchedule[] found = what == "nothing" ? [] : [new("drift/production", form, declaredBy)];
        var change = Assert.Single(SchedulePlan.Make("production", Declared, found, prune: true));
        Assert.Equal(("drift/production", action), (change.Id, change.Action));
        Assert.Equal(field, string.Join("; ", change.Fields.Select(changed => $"{changed.Field}: {changed.From} -> {changed.To}")));
        Assert.EndsWith(".", change.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_what_this_specification_declared_is_pruned_and_only_when_it_is_asked_for()
    {
        FoundSchedule[] found =
        [
            new("drift/production", Drift, "production"), new("old/production", Drift, "production"), new("hand/production", Drift, null), new("drift/staging", Drift, "staging"),
        ];
        Assert.Equal(ScheduleAction.Leave, SchedulePlan.Make("production", Declared, found, prune: false).Single(change => change.Id != "drift/production").Action);
        var pruned = SchedulePlan.Make("production", Declared, found, prune: true);
        Assert.Equal(["drift/production Keep", "old/production Remove"], pruned.Select(change => $"{change.Id} {change.Action}"));
    }

    [Fact]
    public void What_is_not_said_is_the_runbooks_default_and_never_longer_than_the_interval_bears()
    {
        var often = Every(TimeSpan.FromMinutes(5));
        var seldom = Every(TimeSpan.FromDays(1));
        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5)), (often.Jitter, often.CatchUpWindow));
        Assert.Equal((TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(30)), (seldom.Jitter, seldom.CatchUpWindow));
        Assert.All(ScheduledRunbook.All, runbook => Assert.InRange(ScheduleSpecification.Of("shortest", runbook, TimeSpan.FromMinutes(1)).CatchUpWindow, TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1)));
    }

    private static Dictionary<string, ScheduleForm> Declared => new() { ["drift/production"] = Drift };

    private static ScheduleSpecification Every(TimeSpan every) => ScheduleSpecification.Of("drift", ScheduledRunbook.Find("DetectDrift")!, every);
}

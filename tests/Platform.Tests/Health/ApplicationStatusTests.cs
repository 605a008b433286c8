using PlatformOps.Platform.Health;

namespace PlatformOps.Platform.Tests.Health;

public class ApplicationStatusTests
{
    private const string Spec = "spec: {source: {chart: app, targetRevision: 1.2.3}}";

    /// <summary>The status of the Application, and what is made of it.</summary>
    public static TheoryData<string, GateState, string> Statuses => new()
    {
        { "{}", GateState.OnTheWay, "Argo CD has not looked at the newest declaration yet" },
        { "{sync: {status: Synced, revision: 1.2.3}, health: {status: Healthy}}", GateState.Passed, "Synced at 1.2.3 and Healthy" },
        { "{sync: {status: Synced, revision: 1.2.3, comparedTo: {source: {chart: app, targetRevision: 1.2.3}}}, health: {status: Healthy}}", GateState.Passed, "Synced at 1.2.3 and Healthy" },
        // What is said of an earlier declaration proves nothing about this one.
        { "{sync: {status: Synced, revision: 1.2.2}, health: {status: Healthy}}", GateState.OnTheWay, "Synced at 1.2.2, wanted is Synced at 1.2.3" },
        { "{sync: {status: Synced, revision: 1.2.3, comparedTo: {source: {chart: app, targetRevision: 1.2.2}}}, health: {status: Healthy}}", GateState.OnTheWay, "Argo CD has not looked at the newest declaration yet" },
        { "{sync: {status: OutOfSync, revision: 1.2.3}, operationState: {phase: Failed, message: old, syncResult: {source: {chart: app, targetRevision: 1.2.2}}}}", GateState.OnTheWay, "OutOfSync at 1.2.3" },
        { "{sync: {status: OutOfSync, revision: 1.2.3}, operationState: {phase: Running}}", GateState.OnTheWay, "OutOfSync at 1.2.3" },
        { "{sync: {status: OutOfSync, revision: 1.2.3}, operationState: {phase: Failed, message: one or more objects failed to apply., syncResult: {source: {chart: app, targetRevision: 1.2.3}}}}", GateState.Hopeless, "the sync to 1.2.3 failed (one or more objects failed to apply)" },
        { "{sync: {status: Synced, revision: 1.2.3}, health: {status: Progressing}, resources: [{kind: Deployment, name: app, health: {status: Progressing, message: 1 of 2 updated}}]}", GateState.OnTheWay, "Synced at 1.2.3, Progressing (Deployment app is Progressing: 1 of 2 updated)" },
        { "{sync: {status: Synced, revision: 1.2.3}, health: {status: Degraded}, resources: [{kind: Deployment, name: app, health: {status: Degraded, message: exceeded its progress deadline}}]}", GateState.Hopeless, "Synced at 1.2.3, but Degraded (Deployment app is Degraded: exceeded its progress deadline)" },
        { "{sync: {status: Unknown}, conditions: [{type: ComparisonError, message: failed to fetch chart.}]}", GateState.OnTheWay, "Unknown at no revision, wanted is Synced at 1.2.3 (ComparisonError: failed to fetch chart)" },
        { "{conditions: [{type: InvalidSpecError, message: application repo is not permitted in project.}]}", GateState.Hopeless, "InvalidSpecError: application repo is not permitted in project. Correct what it names" },
        { "{sync: {status: Synced, revision: 1.2.3}, health: {status: Healthy}, conditions: [{type: OrphanedResourceWarning, message: one}]}", GateState.Passed, "Synced at 1.2.3 and Healthy" },
    };

    [Theory]
    [MemberData(nameof(Statuses))]
    public void Waits_for_the_declared_revision_and_tells_what_cannot_come_right_by_itself(string status, GateState state, string message)
    {
        var judged = ApplicationStatus.Judge("Application argo-cd/app", YamlText.Parse($"{{{Spec}, status: {status}}}")!.AsObject());

        Assert.Equal(state, judged.State);
        Assert.Contains(message, judged.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_exist_may_still_come() =>
        Assert.Equal(GateStatus.OnTheWay("Application argo-cd/app does not exist"), ApplicationStatus.Judge("Application argo-cd/app", null));
}

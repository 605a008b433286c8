using PlatformOps.Platform.Health;

namespace PlatformOps.Platform.Tests.Health;

public class CustomResourceStatusTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Kind, the rest of the object, and what is made of it.</summary>
    public static TheoryData<string, string, GateState, string> Objects => new()
    {
        { "cert-manager.io/v1/Certificate", "{}", GateState.OnTheWay, "cert-manager has not looked at it yet" },
        { "cert-manager.io/v1/Certificate", "{status: {notAfter: '2030-02-01T00:00:00Z', conditions: [{type: Ready, status: 'True'}]}}", GateState.Passed, "is valid until 2030-02-01 00:00Z" },
        { "cert-manager.io/v1/Certificate", "{status: {notAfter: '2029-12-31T00:00:00Z', conditions: [{type: Ready, status: 'True'}]}}", GateState.OnTheWay, "expired at 2029-12-31 00:00Z and was not renewed" },
        { "cert-manager.io/v1/Certificate", "{metadata: {generation: 2}, status: {notAfter: '2030-02-01T00:00:00Z', conditions: [{type: Ready, status: 'True', observedGeneration: 1}]}}", GateState.OnTheWay, "has not looked at it yet" },
        { "cert-manager.io/v1/Certificate", "{status: {conditions: [{type: Ready, status: 'False', reason: DoesNotExist, message: Issuing certificate.}, {type: Issuing, status: 'True'}]}}", GateState.OnTheWay, "is not Ready (DoesNotExist: Issuing certificate)" },
        { "cert-manager.io/v1/Certificate", "{status: {lastFailureTime: '2029-12-31T23:59:00Z', conditions: [{type: Ready, status: 'False', reason: DoesNotExist}, {type: Issuing, status: 'False', reason: Failed, message: role not allowed}]}}", GateState.Hopeless, "issuing failed (Failed: role not allowed)" },
        { "external-secrets.io/v1/ExternalSecret", "{status: {conditions: [{type: Ready, status: 'True', reason: SecretSynced}]}}", GateState.Passed, "is Ready (SecretSynced)" },
        { "external-secrets.io/v1/ExternalSecret", "{status: {conditions: [{type: Ready, status: 'False', reason: SecretSyncedError, message: could not get secret data}]}}", GateState.OnTheWay, "is not Ready (SecretSyncedError: could not get secret data)" },
        { "keda.sh/v1alpha1/ScaledObject", "{status: {conditions: [{type: Ready, status: 'True', reason: ScaledObjectReady}, {type: Active, status: 'False'}]}}", GateState.Passed, "is Ready" },
        { "keda.sh/v1alpha1/ScaledObject", "{status: {conditions: [{type: Ready, status: Unknown}]}}", GateState.OnTheWay, "is not Ready (no reason is given)" },
        { "example.com/v1/Anything", "{}", GateState.OnTheWay, "its controller has not said yet whether it is Ready" },
        { "example.com/v1/Anything", "{metadata: {generation: 3}, status: {observedGeneration: 2, conditions: [{type: Ready, status: 'True'}]}}", GateState.OnTheWay, "its controller has not said yet" },
        { "apiextensions.k8s.io/v1/CustomResourceDefinition", "{status: {conditions: [{type: Established, status: 'True'}]}}", GateState.Passed, "is Established" },
        { "velero.io/v1/Backup", "{}", GateState.OnTheWay, "is not begun" },
        { "velero.io/v1/Backup", "{status: {phase: InProgress}}", GateState.OnTheWay, "is InProgress" },
        { "velero.io/v1/Backup", "{status: {phase: Completed}}", GateState.Passed, "is Completed" },
        { "velero.io/v1/Backup", "{status: {phase: PartiallyFailed, failureReason: two volumes}}", GateState.Hopeless, "is PartiallyFailed (two volumes)" },
        { "velero.io/v1/Backup", "{status: {phase: FinalizingPartiallyFailed}}", GateState.OnTheWay, "is FinalizingPartiallyFailed" },
        { "velero.io/v1/Backup", "{status: {phase: FailedValidation, validationErrors: [no location]}}", GateState.Hopeless, "is FailedValidation (no location)" },
        { "velero.io/v1/Schedule", "{spec: {schedule: 0 3 * * *}, status: {phase: Enabled}}", GateState.Passed, "is Enabled (0 3 * * *)" },
        { "velero.io/v1/Schedule", "{spec: {paused: true}, status: {phase: Enabled}}", GateState.OnTheWay, "is paused" },
        { "velero.io/v1/Schedule", "{status: {phase: FailedValidation, validationErrors: [invalid cron]}}", GateState.Hopeless, "is not valid (invalid cron)" },
        { "velero.io/v1/BackupStorageLocation", "{status: {phase: Available}}", GateState.Passed, "is Available" },
        { "velero.io/v1/BackupStorageLocation", "{status: {phase: Unavailable, message: access denied}}", GateState.OnTheWay, "is Unavailable (access denied)" },
        { "security.istio.io/v1/PeerAuthentication", "{spec: {mtls: {mode: STRICT}}}", GateState.Passed, "mTLS is STRICT" },
        { "security.istio.io/v1/PeerAuthentication", "{spec: {mtls: {mode: PERMISSIVE}}}", GateState.Hopeless, "the mode of mTLS is PERMISSIVE" },
        { "security.istio.io/v1/PeerAuthentication", "{}", GateState.Hopeless, "the mode of mTLS is UNSET" },
    };

    /// <summary>The spec of the only Prometheus, which lives beside the monitor's namespace or in it.</summary>
    public static TheoryData<string, string, GateState> Servers => new()
    {
        { "monitoring", "{serviceMonitorSelector: {matchLabels: {team: a}}}", GateState.Passed },
        { "monitoring", "{serviceMonitorSelector: {}}", GateState.Passed },
        { "monitoring", "{serviceMonitorSelector: {matchLabels: {team: b}}}", GateState.OnTheWay },
        { "monitoring", "{}", GateState.OnTheWay },
        { "elsewhere", "{serviceMonitorSelector: {}}", GateState.OnTheWay },
        { "elsewhere", "{serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: {}}", GateState.Passed },
    };

    [Theory]
    [MemberData(nameof(Objects))]
    public void Each_kind_is_judged_by_its_own_signs(string kind, string rest, GateState state, string message)
    {
        var live = YamlText.Parse(rest)!.AsObject();
        (live["apiVersion"], live["kind"]) = (kind[..kind.LastIndexOf('/')], kind[(kind.LastIndexOf('/') + 1)..]);

        var judged = CustomResourceStatus.Judge("it", live, [], Now);

        Assert.Equal(state, judged.State);
        Assert.Contains(message, judged.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public void A_ServiceMonitor_has_to_be_selected_by_a_Prometheus(string space, string spec, GateState state)
    {
        var monitor = YamlText.Parse("{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: temporal, namespace: monitoring, labels: {team: a}}}")!.AsObject();
        var server = YamlText.Parse($"{{metadata: {{name: main, namespace: {space}}}, spec: {spec}}}")!.AsObject();

        Assert.Equal(state, CustomResourceStatus.Judge("ServiceMonitor temporal", monitor, [server], Now).State);
        Assert.Equal(GateState.OnTheWay, CustomResourceStatus.Judge("ServiceMonitor temporal", monitor, [], Now).State);
    }
}

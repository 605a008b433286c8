using PlatformOps.Platform.Alerts;
using Prometheus;

namespace PlatformOps.Starter.Alerts;

/// <summary>What the alert receiver counts, for Prometheus.</summary>
internal sealed class AlertMetrics
{
    private readonly CollectorRegistry registry = Metrics.NewCustomRegistry();
    private readonly Counter received, passedOn, unrouted, notAccepted, refused;

    public AlertMetrics()
    {
        var factory = Metrics.WithCustomRegistry(registry);
        received = factory.CreateCounter("platformops_alerts_received_total", "Alerts in requests that were understood, repetitions included.", "source", "status");
        passedOn = factory.CreateCounter("platformops_alerts_passed_on_total", "Alerts that the Temporal server has accepted for a runbook.", "route", "environment", "runbook");
        unrouted = factory.CreateCounter("platformops_alerts_unrouted_total", "Alerts that no route takes; they are in the list of dead letters.", "source");
        notAccepted = factory.CreateCounter("platformops_alerts_not_accepted_total", "Alerts that the Temporal server has not accepted; the sender was told to send them again.");
        refused = factory.CreateCounter("platformops_alert_requests_refused_total", "Requests that were refused.", "reason");
        foreach (var reason in new[] { "unauthorized", "malformed", "too_large", "too_many" })
            refused.WithLabels(reason).IncTo(0);
    }

    public void Received(Alert alert) => received.WithLabels(alert.Source, alert.Status == AlertStatus.Firing ? "firing" : "resolved").Inc();

    public void PassedOn(AlertDestination.Run to) => passedOn.WithLabels(to.Route, to.Environment, to.Runbook).Inc();

    public void Unrouted(Alert alert) => unrouted.WithLabels(alert.Source).Inc();

    public void NotAccepted() => notAccepted.Inc();

    public void Refused(string reason) => refused.WithLabels(reason).Inc();

    public Task WriteAsync(Stream to, CancellationToken ct) => registry.CollectAndExportAsTextAsync(to, ct);
}

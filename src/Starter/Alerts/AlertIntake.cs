using PlatformOps.Platform.Alerts;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Alerts;

/// <summary>What became of one request.</summary>
/// <param name="PassedOn">How many alerts a runbook has accepted now.</param>
/// <param name="Repeated">How many it had accepted before.</param>
/// <param name="Unrouted">Why the others were not: reasons for people.</param>
/// <param name="Failure">Why the server did not accept one; then the sender has to send all of them again.</param>
internal sealed record IntakeResult(int PassedOn, int Repeated, IReadOnlyList<string> Unrouted, string? Failure = null);

/// <summary>Takes the alerts of one request to where they belong. Nothing is acknowledged before the Temporal server has it.</summary>
internal sealed class AlertIntake(AlertConfiguration configuration, AlertDelivery delivery, DeadLetters deadLetters, AlertMetrics metrics, TimeProvider clock)
{
    private readonly RecentAlerts recent = new(configuration.RepeatAfter, clock);

    public async Task<IntakeResult> TakeAsync(IReadOnlyList<Alert> alerts, CancellationToken ct)
    {
        var (passedOn, repeated, unrouted) = (0, 0, new List<string>());
        foreach (var alert in alerts)
        {
            metrics.Received(alert);
            switch (AlertRouting.Route(alert, configuration.Routes, configuration.Environments))
            {
                case AlertDestination.Nowhere nowhere:
                    metrics.Unrouted(alert);
                    deadLetters.Add(new(clock.GetUtcNow(), nowhere.Reason, alert));
                    unrouted.Add(nowhere.Reason);
                    break;
                case AlertDestination.Run when recent.Knows(alert):
                    repeated++;
                    break;
                case AlertDestination.Run run:
                    try
                    {
                        await delivery.DeliverAsync(alert, run, ct);
                    }
                    catch (Exception failure) when (failure is RpcException or InvalidOperationException)
                    {
                        metrics.NotAccepted();
                        return new(passedOn, repeated, unrouted, $"The Temporal server has not accepted alert {alert.Name} for {run.Environment}: {failure.Message}");
                    }

                    recent.PassedOn(alert);
                    metrics.PassedOn(run);
                    passedOn++;
                    break;
            }
        }

        return new(passedOn, repeated, unrouted);
    }
}

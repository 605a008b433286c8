using PlatformOps.Platform.Alerts;

namespace PlatformOps.Starter.Alerts;

/// <summary>What was passed on lately, so that a storm of repetitions costs the runbook one signal. It forgets after a while, on purpose: a runbook that was
/// terminated meanwhile hears of an alert that still fires with its next repetition.</summary>
internal sealed class RecentAlerts(TimeSpan remembers, TimeProvider clock)
{
    /// <summary>Beyond it the oldest are forgotten: an alert passed on twice does no harm.</summary>
    private const int Most = 10_000;

    private readonly Lock gate = new();
    private readonly Dictionary<string, (AlertStatus Status, long At)> passedOn = [];

    public bool Knows(Alert alert)
    {
        lock (gate)
            return passedOn.TryGetValue(alert.Key, out var last) && last.Status == alert.Status && clock.GetElapsedTime(last.At) < remembers;
    }

    public void PassedOn(Alert alert)
    {
        lock (gate)
        {
            if (passedOn.Count >= Most)
            {
                foreach (var old in passedOn.OrderBy(entry => entry.Value.At).Take(Most / 2).Select(entry => entry.Key).ToList())
                    passedOn.Remove(old);
            }

            passedOn[alert.Key] = (alert.Status, clock.GetTimestamp());
        }
    }
}

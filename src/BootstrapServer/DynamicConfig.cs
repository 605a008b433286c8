using System.Globalization;

namespace PlatformOps.BootstrapServer;

/// <summary>The dynamic configuration of a Temporal server, as far as it means something here: sizes and counts.</summary>
internal static class DynamicConfig
{
    private static readonly Dictionary<string, Func<ServerLimits, int, ServerLimits>> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["limit.blobSize.error"] = (limits, value) => limits with { BlobBytes = value },
        ["limit.memoSize.error"] = (limits, value) => limits with { MemoBytes = value },
        ["limit.historyCount.error"] = (limits, value) => limits with { HistoryEvents = value },
        ["limit.historySize.error"] = (limits, value) => limits with { HistoryBytes = value },
        ["limit.historyCount.suggestContinueAsNew"] = (limits, value) => limits with { SuggestAfterEvents = value },
        ["limit.historySize.suggestContinueAsNew"] = (limits, value) => limits with { SuggestAfterBytes = value },
        ["limit.numPendingActivities.error"] = (limits, value) => limits with { PendingActivities = value },
        ["limit.numPendingChildExecutions.error"] = (limits, value) => limits with { PendingChildren = value },
        ["limit.numPendingSignals.error"] = (limits, value) => limits with { PendingSignals = value },
        ["limit.numPendingCancelRequests.error"] = (limits, value) => limits with { PendingCancels = value },
        ["history.maximumSignalsPerExecution"] = (limits, value) => limits with { SignalsPerRun = value },
        ["history.maxInFlightUpdates"] = (limits, value) => limits with { UpdatesInFlight = value },
        ["history.maxTotalUpdates"] = (limits, value) => limits with { UpdatesPerRun = value },
    };

    /// <summary>Takes <c>KEY=VALUE</c> over; null when the key means nothing here.</summary>
    /// <exception cref="FormatException">It is not of that form, or a limit is not a number above zero.</exception>
    public static ServerLimits? Apply(ServerLimits limits, string setting)
    {
        if (setting.Split('=', 2) is not [{ Length: > 0 } key, var text])
            throw new FormatException($"--dynamic-config-value {setting}: KEY=VALUE is expected.");
        if (!Known.TryGetValue(key, out var set))
            return null;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) || value == 0)
            throw new FormatException($"--dynamic-config-value {setting}: a number above 0 is expected.");
        return set(limits, value);
    }
}

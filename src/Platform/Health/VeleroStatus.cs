using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Health;

/// <summary>How Velero's backups, schedules and storage locations stand: by their phase.</summary>
internal static class VeleroStatus
{
    /// <summary>Velero goes on with what has failed in part before it says so: those phases end by themselves (https://velero.io/docs/main/api-types/backup/).</summary>
    private static readonly string[] EndingInPart = ["FinalizingPartiallyFailed", "WaitingForPluginOperationsPartiallyFailed"];

    public static GateStatus Backup(string name, JsonObject live) => Phase(live) switch
    {
        "Completed" => GateStatus.Passed($"{name} is Completed"),
        { } phase when EndingInPart.Contains(phase) => GateStatus.OnTheWay($"{name} is {phase}"),
        { } phase when phase.Contains("Failed", StringComparison.Ordinal) => GateStatus.Hopeless($"{name} is {phase} ({Why(live)}). See velero backup logs, then make another"),
        var phase => GateStatus.OnTheWay($"{name} is {phase ?? "not begun"}"),
    };

    public static GateStatus Restore(string name, JsonObject live) => Phase(live) switch
    {
        "Completed" => GateStatus.Passed($"{name} is Completed"),
        { } phase when EndingInPart.Contains(phase) => GateStatus.OnTheWay($"{name} is {phase}"),
        { } phase when phase.Contains("Failed", StringComparison.Ordinal) => GateStatus.Hopeless($"{name} is {phase} ({Why(live)})"),
        var phase => GateStatus.OnTheWay($"{name} is {phase ?? "not begun"}"),
    };

    public static GateStatus Schedule(string name, JsonObject live)
    {
        if ((bool?)live["spec"]?["paused"] == true)
            return GateStatus.OnTheWay($"{name} is paused, so that nothing is backed up");
        return Phase(live) switch
        {
            "Enabled" => GateStatus.Passed($"{name} is Enabled ({live["spec"]?["schedule"]})"),
            "FailedValidation" => GateStatus.Hopeless($"{name} is not valid ({Why(live)}). Correct it"),
            _ => GateStatus.OnTheWay($"{name}: Velero has not looked at it yet"),
        };
    }

    /// <summary>Velero looks at the storage again and again.</summary>
    public static GateStatus Location(string name, JsonObject live) => Phase(live) switch
    {
        "Available" => GateStatus.Passed($"{name} is Available"),
        "Unavailable" => GateStatus.OnTheWay($"{name} is Unavailable ({Why(live)})"),
        _ => GateStatus.OnTheWay($"{name}: Velero has not looked at it yet"),
    };

    private static string? Phase(JsonObject live) => ResourceStatus.Text(live["status"]?["phase"]) is { Length: > 0 } phase ? phase : null;

    private static string Why(JsonObject live)
    {
        var status = live["status"];
        var errors = (status?["validationErrors"] as JsonArray ?? []).Select(ResourceStatus.Text).OfType<string>().ToList();
        return errors.Count > 0 ? string.Join("; ", errors) : ResourceStatus.Text(status?["failureReason"]) ?? ResourceStatus.Text(status?["message"]) ?? "no reason is given";
    }
}

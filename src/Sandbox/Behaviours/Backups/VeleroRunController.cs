using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Custom;

namespace PlatformOps.Sandbox.Behaviours.Backups;

/// <summary>Velero's Backup or Restore: it is checked, runs for a while and completes. A backup wants an available storage location, a restore a completed backup.</summary>
internal sealed class VeleroRunController : CustomController
{
    private const string Group = "velero.io";
    private static readonly TimeSpan UsualLife = TimeSpan.FromHours(720);
    private readonly string _kind;

    public VeleroRunController(Cluster cluster, BehaviourOptions options, string kind) : base(cluster, options, Group, kind)
    {
        _kind = kind;
        // One that came before its storage waits for it, as Velero does while it starts.
        OnCustom(Group, "BackupStorageLocation", _ => All().Where(run => run.Status.Text("phase") is null).Select(run => run.Key));
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Find(key) is not { Deleting: false } run)
            return;
        switch (run.Status.Text("phase"))
        {
            case null or "" or "New":
                await WriteStatusAsync(run, Begin(run), ct);
                break;
            case "InProgress" when IsDue(run, run.Status.Time("startTimestamp") ?? Now):
                await WriteStatusAsync(run, new JsonObject { ["phase"] = "Completed", ["completionTimestamp"] = Now.Stamp() }, ct);
                break;
        }
    }

    private JsonObject Begin(ClusterObject run)
    {
        var problem = _kind == "Backup" ? BackupProblem(run) : RestoreProblem(run);
        if (problem is not null)
            return new() { ["phase"] = "FailedValidation", ["validationErrors"] = new JsonArray(problem) };
        var status = new JsonObject { ["phase"] = "InProgress", ["startTimestamp"] = Now.Stamp() };
        if (_kind == "Backup")
        {
            status["version"] = 1;
            status["formatVersion"] = "1.1.0";
            status["expiration"] = (Now + (GoDuration.Read(run.Spec.Text("ttl")) ?? UsualLife)).Stamp();
        }
        return status;
    }

    private string? BackupProblem(ClusterObject run)
    {
        var name = run.Spec.Text("storageLocation") ?? "default";
        return Find(Group, "BackupStorageLocation", run.Namespace, name) switch
        {
            null => $"an existing backup storage location wasn't specified at backup creation time and the default '{name}' wasn't found",
            { } location when location.Status.Text("phase") == "Unavailable" => $"backup can't be created because BackupStorageLocation {name} is in Unavailable status.",
            _ => null,
        };
    }

    private string? RestoreProblem(ClusterObject run)
    {
        var name = run.Spec.Text("backupName") ?? "";
        return Find(Group, "Backup", run.Namespace, name) switch
        {
            null => $"Error retrieving backup: backup.velero.io \"{name}\" not found",
            { } backup when backup.Status.Text("phase") != "Completed" => $"Backup {name} is not completed: its phase is {backup.Status.Text("phase")}",
            _ => null,
        };
    }
}

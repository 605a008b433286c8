using PlatformOps.Adapters.Failover;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Backups;

/// <summary>A restore into the place of a node's own data. Every call can be repeated.</summary>
public sealed partial class GuardedBackups
{
    /// <summary>Their names.</summary>
    public IReadOnlyList<string> Nodes => [.. access.Nodes.Keys.Order(StringComparer.Ordinal)];

    /// <summary>What lies in the repository, as a node sees it whether it serves or not.</summary>
    public Task<RepositorySight> LookAtAsync(string node, CancellationToken ct) => DoAsync<RepositorySight>(node, new() { Operation = "look", Kind = BackupJobKind.Look }, _ => { }, ct);

    /// <summary>What is in the place of the node's data.</summary>
    public Task<NodePlace> SurveyAsync(string node, string operation, CancellationToken ct) =>
        DoAsync<NodePlace>(node, new() { Operation = operation, Kind = BackupJobKind.Survey }, _ => { }, ct);

    /// <summary>Restores a set beside the node's data, which goes on serving.</summary>
    /// <param name="target">The moment to restore to; null: the newest.</param>
    public Task<RestoredCopy> StageAsync(string node, string operation, string label, DateTimeOffset? target, Action<string> progress, CancellationToken ct) =>
        DoAsync<RestoredCopy>(node, new() { Operation = operation, Kind = BackupJobKind.Stage, Label = label, Target = target }, progress, ct);

    /// <summary>Reads what was staged, and looks for what has to be in it and what must not.</summary>
    public Task<CopyFindings> ProveAsync(string node, string operation, TimeSpan rpo, Action<string> progress, CancellationToken ct) =>
        DoAsync<CopyFindings>(node, new() { Operation = operation, Kind = BackupJobKind.Prove, RpoSeconds = rpo.TotalSeconds }, progress, ct);

    /// <summary>Gives what was staged the epoch and the logins of today; those that are not valid today are closed.</summary>
    public Task<SecuredLogins> SecureAsync(string node, string operation, long epoch, IReadOnlyList<CurrentLogin> logins, CancellationToken ct) =>
        DoAsync<SecuredLogins>(node, new() { Operation = operation, Kind = BackupJobKind.Secure, Epoch = epoch, Logins = logins }, _ => { }, ct);

    /// <summary>What was staged takes the place of the data of a node that is fenced.</summary>
    public Task<DatabaseNode> PlaceAsync(string node, string operation, long epoch, CancellationToken ct) => ExchangeAsync(node, "place", operation, epoch, ct);

    /// <summary>The data that was replaced is in its place again; refused once the restored was opened.</summary>
    public Task<DatabaseNode> PutBackAsync(string node, string operation, long epoch, CancellationToken ct) => ExchangeAsync(node, "putBack", operation, epoch, ct);

    /// <summary>Removes what was staged and what was replaced.</summary>
    /// <param name="keepOld">What was replaced stays beside the new data.</param>
    /// <returns>What was there, and what stays.</returns>
    public Task<IReadOnlyList<string>> DiscardAsync(string node, string operation, bool keepOld, CancellationToken ct) =>
        DoAsync<IReadOnlyList<string>>(node, new() { Operation = operation, Kind = BackupJobKind.Discard, KeepOld = keepOld }, _ => { }, ct);

    private Task<DatabaseNode> ExchangeAsync(string node, string change, string operation, long epoch, CancellationToken ct) =>
        client.PostAsync<DatabaseNode>(node, $"/v1/{change}", new GuardOrder { Epoch = epoch, Operation = operation }, access.ChangeTimeout + StopPatience, ct);
}

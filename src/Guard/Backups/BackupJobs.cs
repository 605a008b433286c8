using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Failover;

namespace PlatformOps.Guard.Backups;

/// <summary>What a guard was asked to do about backups and is doing: an order outlives the call that gave it, and the same order again joins it.</summary>
internal sealed class BackupJobs(GuardParts parts)
{
    /// <summary>Ended ones that are remembered, for who asks again.</summary>
    private const int Remembered = 100;

    private readonly ConcurrentDictionary<(string Operation, BackupJobKind Kind), BackupJob> jobs = new();
    private readonly Lock gate = new();
    private readonly PgBackRest tool = new(parts.Configuration, parts.User, parts.Tools);
    private readonly BackupCopy copy = Quarantine(parts);
    private readonly ConcurrentDictionary<(string Operation, BackupJobKind Kind), (Task Work, CancellationTokenSource Stop)> working = new();

    /// <summary>What takes the place of the node's data.</summary>
    public InPlaceRestore InPlace { get; } = new(parts);

    /// <summary>Begins it, unless it is going on. What ended is begun again: it finds what is done.</summary>
    /// <exception cref="GuardException">Something is missing in the order.</exception>
    public BackupJob Begin(BackupOrder order)
    {
        if (order.Operation.Length == 0)
            throw new GuardException("operation is missing: every order says whose it is.") { Refused = true };
        if (order.Label is null && order.Kind is BackupJobKind.Restore or BackupJobKind.Remove or BackupJobKind.Stage)
            throw new GuardException($"label is missing: {order.Kind} needs the set that is meant.") { Refused = true };
        if (order.Label is { } label && !label.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_'))
            throw new GuardException($"label is '{label}', which is no name of a set.") { Refused = true };
        lock (gate)
        {
            var key = (order.Operation, order.Kind);
            if (jobs.TryGetValue(key, out var known) && known.State == BackupJobState.Running)
                return known;
            foreach (var old in jobs.Where(job => job.Value.State != BackupJobState.Running).Select(job => job.Key).Take(Math.Max(0, jobs.Count - Remembered)).ToList())
                jobs.TryRemove(old, out _);
            var begun = jobs[key] = new(order.Operation, order.Kind, BackupJobState.Running, "Begun.");
            var stop = CancellationTokenSource.CreateLinkedTokenSource(parts.Stopping);
            working[key] = (RunAsync(order, stop.Token), stop);
            return begun;
        }
    }

    /// <summary>Null: it was never asked for, or a guard before this one was.</summary>
    public BackupJob? Find(string operation, BackupJobKind kind) => jobs.GetValueOrDefault((operation, kind));

    /// <summary>The same, when it has ended or was waited for for so long.</summary>
    public async Task<BackupJob?> FindAsync(string operation, BackupJobKind kind, TimeSpan patience, CancellationToken ct)
    {
        var known = Find(operation, kind);
        if (known is not { State: BackupJobState.Running })
            return known;
        Task work;
        // It is known a moment before somebody works on it.
        lock (gate)
            work = working[(operation, kind)].Work;
        await Task.WhenAny(work, Task.Delay(patience, parts.Clock, ct));
        return Find(operation, kind);
    }

    private static BackupCopy Quarantine(GuardParts parts)
    {
        var folder = Path.Combine(parts.Configuration.State, "q");
        return new(parts, folder, Path.Combine(folder, "data"), replaces: false);
    }

    private async Task RunAsync(BackupOrder order, CancellationToken ct)
    {
        // The caller has its answer first.
        await Task.Yield();
        var key = (order.Operation, order.Kind);
        try
        {
            var result = await DoAsync(order, said => jobs[key] = jobs[key] with { Progress = said }, ct);
            jobs[key] = jobs[key] with { State = BackupJobState.Done, Progress = "Done.", Result = JsonSerializer.SerializeToElement(result, GuardWire.Json) };
        }
        catch (GuardException failure)
        {
            parts.Log.LogWarning("{Failure}", failure.Message);
            jobs[key] = jobs[key] with { State = BackupJobState.Failed, Failure = failure.Message, Damaged = failure.Damaged, Missing = failure.Missing };
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException or OperationCanceledException)
        {
            parts.Log.LogWarning("{Failure}", failure.Message);
            jobs[key] = jobs[key] with { State = BackupJobState.Failed, Failure = failure is OperationCanceledException ? "It was ended: the guard stopped, or it is not wanted any more." : failure.Message };
        }
    }

    private async Task<object> DoAsync(BackupOrder order, Action<string> progress, CancellationToken ct) => order.Kind switch
    {
        BackupJobKind.Make => await MakeAsync(order, progress, ct),
        BackupJobKind.Look => await tool.LookAsync(ct),
        BackupJobKind.Restore => await copy.RestoreAsync(order, tool, progress, ct),
        BackupJobKind.Probe => await copy.ProbeAsync(order, progress, ct),
        BackupJobKind.CleanUp => await copy.RemoveAsync(ct),
        BackupJobKind.Remove => await RemoveAsync(order, ct),
        BackupJobKind.Survey => InPlace.Look(order),
        BackupJobKind.Stage => await InPlace.StageAsync(order, tool, progress, ct),
        BackupJobKind.Prove => await InPlace.ProveAsync(order, progress, ct),
        BackupJobKind.Secure => await InPlace.SecureAsync(order, ct),
        BackupJobKind.Discard => await DiscardAsync(order, ct),
        var kind => throw new GuardException($"{kind} is not known to this guard.") { Refused = true },
    };

    private async Task<StoredBackup> MakeAsync(BackupOrder order, Action<string> progress, CancellationToken ct)
    {
        progress("Counting the rows of tables.");
        await TableCounts.KeepAsync(parts, ct);
        return await tool.MakeAsync(order.Operation, order.Method, progress, parts.Clock, ct);
    }

    private async Task<string> RemoveAsync(BackupOrder order, CancellationToken ct)
    {
        await tool.RemoveAsync(order.Label!, ct);
        return order.Label!;
    }

    /// <summary>What still works on what is thrown away is ended first.</summary>
    private async Task<IReadOnlyList<string>> DiscardAsync(BackupOrder order, CancellationToken ct)
    {
        foreach (var (_, other) in working.Where(job => job.Key.Operation == order.Operation && job.Key.Kind is BackupJobKind.Stage or BackupJobKind.Prove or BackupJobKind.Secure))
        {
            await other.Stop.CancelAsync();
            await other.Work;
        }

        return await InPlace.DiscardAsync(order, ct);
    }
}

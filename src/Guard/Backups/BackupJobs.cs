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
    private readonly BackupCopy copy = new(parts);

    /// <summary>Begins it, unless it is going on. What ended is begun again: it finds what is done.</summary>
    /// <exception cref="GuardException">Something is missing in the order.</exception>
    public BackupJob Begin(BackupOrder order)
    {
        if (order.Operation.Length == 0)
            throw new GuardException("operation is missing: every order says whose it is.") { Refused = true };
        if (order.Label is null && order.Kind is BackupJobKind.Restore or BackupJobKind.Remove)
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
            _ = RunAsync(order);
            return begun;
        }
    }

    /// <summary>Null: it was never asked for, or a guard before this one was.</summary>
    public BackupJob? Find(string operation, BackupJobKind kind) => jobs.GetValueOrDefault((operation, kind));

    private async Task RunAsync(BackupOrder order)
    {
        // The caller has its answer first.
        await Task.Yield();
        var key = (order.Operation, order.Kind);
        try
        {
            var result = await DoAsync(order, said => jobs[key] = jobs[key] with { Progress = said });
            jobs[key] = jobs[key] with { State = BackupJobState.Done, Progress = "Done.", Result = JsonSerializer.SerializeToElement(result, GuardWire.Json) };
        }
        catch (GuardException failure)
        {
            parts.Log.LogWarning("{Failure}", failure.Message);
            jobs[key] = jobs[key] with { State = BackupJobState.Failed, Failure = failure.Message, Damaged = failure.Damaged };
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException or OperationCanceledException)
        {
            parts.Log.LogWarning("{Failure}", failure.Message);
            jobs[key] = jobs[key] with { State = BackupJobState.Failed, Failure = failure is OperationCanceledException ? "The guard ended meanwhile." : failure.Message };
        }
    }

    private async Task<object> DoAsync(BackupOrder order, Action<string> progress) => order.Kind switch
    {
        BackupJobKind.Make => await tool.MakeAsync(order.Operation, order.Method, progress, parts.Clock, parts.Stopping),
        BackupJobKind.Look => await tool.LookAsync(parts.Stopping),
        BackupJobKind.Restore => await copy.RestoreAsync(order, tool, progress, parts.Stopping),
        BackupJobKind.Probe => await copy.ProbeAsync(order, progress, parts.Stopping),
        BackupJobKind.CleanUp => await copy.RemoveAsync(parts.Stopping),
        BackupJobKind.Remove => await RemoveAsync(order),
        var kind => throw new GuardException($"{kind} is not known to this guard.") { Refused = true },
    };

    private async Task<string> RemoveAsync(BackupOrder order)
    {
        await tool.RemoveAsync(order.Label!, parts.Stopping);
        return order.Label!;
    }
}

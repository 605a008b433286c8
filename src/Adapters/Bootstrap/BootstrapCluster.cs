using PlatformOps.Platform.Bootstrap;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Adapters.Bootstrap;

/// <summary>One side of a move: what works there, and the effects of moving it. Each call has a timeout and is made once; each effect may be carried out twice. Failures are the SDK's own.</summary>
/// <param name="client">Connected, with the namespace of the runbooks.</param>
/// <param name="work">What is ours there.</param>
public sealed class BootstrapCluster(ITemporalClient client, StandingWork work)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    private readonly BootstrapSchedules schedules = new(client, work);
    private readonly BootstrapRuns runs = new(client, work);
    private readonly BootstrapSpace space = new(client);
    private readonly BootstrapMarker marker = new(client);

    /// <summary>For people: <c>address/namespace</c>.</summary>
    public string Name => $"{client.Connection.Options.TargetHost}/{client.Options.Namespace}";

    /// <summary>What is there now.</summary>
    public async Task<BootstrapSight> ObserveAsync(CancellationToken ct)
    {
        if (await space.FindAsync(ct) is not { } found)
            return new() { Name = Name };
        var known = await marker.ReadAsync(ct);
        var (standing, passing) = await runs.ListAsync(ct);
        return new()
        {
            Name = Name,
            NamespaceId = found.NamespaceInfo.Id,
            Record = known?.Record,
            RecordedAt = known?.ChangedAt,
            Attributes = await space.AttributesAsync(ct),
            Schedules = await schedules.ListAsync(ct),
            Standing = standing,
            Passing = passing,
        };
    }

    /// <summary>Makes here what the source has: the namespace, search attributes.</summary>
    public Task PrepareAsync(BootstrapCluster source, CancellationToken ct) => space.PrepareAsync(source.space, ct);

    /// <summary>Puts a record in the place of the one that was seen. When there is another one by now nothing happens: the next look shows it.</summary>
    /// <param name="seen">What was seen; null: none.</param>
    /// <param name="record">Null removes it.</param>
    public Task WriteAsync(BootstrapRecord? seen, BootstrapRecord? record, CancellationToken ct) => marker.WriteAsync(seen, record, ct);

    /// <summary>Pauses a schedule and puts a mark in front of its note.</summary>
    public Task HoldAsync(string schedule, PivotMark mark, CancellationToken ct) => schedules.HoldAsync(schedule, mark, ct);

    /// <summary>Creates a schedule as the source has it, with its mark, paused.</summary>
    public Task CopyAsync(BootstrapCluster source, string schedule, CancellationToken ct) => schedules.CopyAsync(source.schedules, schedule, ct);

    /// <summary>Takes the mark off; the schedule runs again when it says so.</summary>
    /// <param name="since">From when on to make up for what fell due.</param>
    /// <param name="now">Until when.</param>
    public Task ReleaseAsync(StandingSchedule schedule, DateTimeOffset? since, DateTimeOffset now, CancellationToken ct) => schedules.ReleaseAsync(schedule, since, now, ct);

    /// <summary>Removes a schedule, if it still carries that mark.</summary>
    public Task RemoveAsync(StandingSchedule schedule, CancellationToken ct) => schedules.RemoveAsync(schedule, ct);

    /// <summary>Lets a run stand still.</summary>
    /// <exception cref="WorkflowUpdateFailedException">It is in the middle of something.</exception>
    public Task SuspendAsync(StandingRun run, string pivotId, CancellationToken ct) => runs.SuspendAsync(run, pivotId, ct);

    /// <summary>Lets it go on.</summary>
    public Task ResumeAsync(StandingRun run, string pivotId, CancellationToken ct) => runs.ResumeAsync(run, pivotId, ct);

    /// <summary>Starts a run here with all that the one at the source knows.</summary>
    public Task CopyAsync(BootstrapCluster source, StandingRun run, string pivotId, CancellationToken ct) => runs.CopyAsync(source.runs, run, pivotId, ct);

    /// <summary>Ends exactly that run.</summary>
    public Task EndAsync(StandingRun run, string reason, CancellationToken ct) => runs.EndAsync(run, reason, ct);

    internal static RpcOptions Rpc(CancellationToken ct) => new() { Retry = false, Timeout = CallTimeout, CancellationToken = ct };
}

/// <summary>What of a cluster's work is ours.</summary>
/// <param name="Types">Our workflow types; everything else is left alone.</param>
/// <param name="Stands">Whether a run has no end by itself and can be carried to another cluster, by type and workflow id: it takes the updates <c>suspend</c> and <c>resume</c>,
/// and answers the query <c>carried</c> with the input of a run that goes on in its place.</param>
public sealed record StandingWork(IReadOnlyList<string> Types, Func<string, string, bool> Stands);

using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Runs;

/// <summary>Follows a run on the terminal that a command was given.</summary>
internal sealed class RunSession(Invocation invocation, RunbookRun run, string taskQueue)
{
    private readonly RunFollower follower = new(run, taskQueue, TimeProvider.System);
    private readonly IRunView view = invocation.Terminal.Interactive
        ? new LiveRunView(invocation.Terminal, new RunTree(Planes.From(invocation.Locations.Catalog)), run.Handle.Id)
        : new PlainRunView(invocation.Terminal);

    /// <summary>Follows until the run ends or waits for an operator.</summary>
    public async Task<RunOutcome> FollowAsync(CancellationToken ct) =>
        await RunOutcome.ReadAsync(run, await view.ShowAsync(show => follower.FollowAsync(show, snapshot => snapshot.WaitsForOperator, ct)), ct);

    /// <summary>Follows until the run ends, through every wait for an operator.</summary>
    public async Task<RunOutcome> FollowToTheEndAsync(CancellationToken ct) =>
        await RunOutcome.ReadAsync(run, await view.ShowAsync(show => follower.FollowAsync(show, _ => false, ct)), ct);

    /// <summary>Waits until the run no longer waits for an operator.</summary>
    public Task DecidedAsync(CancellationToken ct) =>
        follower.FollowAsync(_ => { }, snapshot => snapshot.Status is not null && !snapshot.WaitsForOperator, ct);

    /// <summary>Waits for the end without showing the way there, except for what keeps it from getting there.</summary>
    public async Task<RunOutcome> AnswerAsync(CancellationToken ct)
    {
        string? said = null;
        var last = await follower.FollowAsync(Say, _ => false, ct);
        return await RunOutcome.ReadAsync(run, last, ct);

        void Say(RunSnapshot snapshot)
        {
            if (snapshot.Notice is { } notice && notice != said)
                invocation.Terminal.Progress(said = notice);
        }
    }

    /// <summary>Until a worker has answered or the reason for its silence is known.</summary>
    public Task<RunSnapshot> FirstAnswerAsync(CancellationToken ct) =>
        follower.FollowAsync(_ => { }, snapshot => snapshot.Status is not null || snapshot.Notice is not null, ct);
}

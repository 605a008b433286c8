using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes.Health;

/// <summary>Ends a pause between two looks at health as soon as an object changes that a gate waits for, by watching it. It only hastens: where a watch is refused or
/// breaks, the pause is waited for in full, and what counts is always the look.</summary>
/// <param name="time">The clock of pauses, and of the rest before a watch is begun again.</param>
public sealed class ChangeSignal(KubernetesConnection connection, TimeProvider time) : IAsyncDisposable
{
    private const string SliceApi = "discovery.k8s.io/v1";

    /// <summary>A watch that the server ended is begun again after so long.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource stopping = new();
    private readonly Dictionary<HealthGate, Task> watches = [];
    private TaskCompletionSource changed = NewSignal();

    /// <summary>Whether changes of what a gate looks at can be followed; what answers by itself has to be asked.</summary>
    public static bool CanFollow(HealthGate gate) => gate is RolloutGate or JobGate or EndpointsGate or ApplicationGate or ConditionGate;

    /// <summary>Forgets what has changed by now. To be called before a look, so that nothing is lost in between.</summary>
    public void Rearm() => Interlocked.Exchange(ref changed, NewSignal());

    /// <summary>Begins to follow what some gates look at; what is followed already stays so.</summary>
    public void Follow(IEnumerable<HealthGate> gates)
    {
        foreach (var gate in gates.Where(gate => CanFollow(gate) && !watches.ContainsKey(gate)))
            watches[gate] = FollowAsync(gate);
    }

    /// <summary>Waits for a pause, or until something has changed since <see cref="Rearm"/>.</summary>
    public async Task WaitAsync(TimeSpan pause, CancellationToken ct)
    {
        var signal = Volatile.Read(ref changed).Task;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await Task.WhenAny(signal, Task.Delay(pause, time, over.Token));
        await over.CancelAsync();
        ct.ThrowIfCancellationRequested();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(watches.Values);
        stopping.Dispose();
    }

    private async Task FollowAsync(HealthGate gate)
    {
        try
        {
            while (true)
            {
                if (await WatchedAsync(gate, stopping.Token) is not { } call)
                    return;
                await foreach (var change in connection.WatchAsync(call, stopping.Token))
                {
                    if (MayDecide(gate, (string?)change["type"], change["object"] as JsonObject ?? []))
                        Volatile.Read(ref changed).TrySetResult();
                }

                await Task.Delay(Rest, time, stopping.Token);
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or AdapterException)
        {
            // Nobody waits any more; or it cannot be watched.
        }
    }

    /// <summary>Null: the cluster does not serve the kind yet.</summary>
    private async Task<ApiCall?> WatchedAsync(HealthGate gate, CancellationToken ct)
    {
        var (kind, space, selector) = gate switch
        {
            RolloutGate rollout => (new ObjectKind("apps/v1", rollout.Kind), rollout.Namespace, Named(rollout.Name)),
            JobGate job => (new ObjectKind("batch/v1", "Job"), job.Namespace, Named(job.Name)),
            EndpointsGate endpoints when await connection.Kinds.FindOrNullAsync(new(SliceApi, "EndpointSlice"), ct) is not null =>
                (new ObjectKind(SliceApi, "EndpointSlice"), endpoints.Namespace, $"labelSelector={Uri.EscapeDataString($"kubernetes.io/service-name={endpoints.Service}")}"),
            EndpointsGate endpoints => (new ObjectKind("v1", "Endpoints"), endpoints.Namespace, Named(endpoints.Service)),
            ApplicationGate application => (new ObjectKind("argoproj.io/v1alpha1", "Application"), application.Namespace, Named(application.Name)),
            ConditionGate condition => (condition.Kind, condition.Namespace, Named(condition.Name)),
            _ => throw new InvalidOperationException($"{gate} cannot be followed."),
        };
        return await connection.Kinds.FindOrNullAsync(kind, ct) is { } served
            ? ApiCall.Get($"{served.Path(space, null)}?watch=true&{selector}", "watch", served.Resource)
            : null;
    }

    /// <summary>Whether a look may find something else than the one before. A rollout tells a lot that is not its end, and trouble is found by the next look anyway.</summary>
    private static bool MayDecide(HealthGate gate, string? type, JsonObject live) => gate switch
    {
        _ when type is not ("ADDED" or "MODIFIED") => false,
        RolloutGate => RolloutStatus.Missing(live) is null,
        JobGate => (live["status"]?["conditions"] as JsonArray ?? []).Any(condition => (string?)condition?["status"] == "True"),
        _ => true,
    };

    private static string Named(string name) => $"fieldSelector={Uri.EscapeDataString($"metadata.name={name}")}";

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

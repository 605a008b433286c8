using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Activities.Failover;

/// <summary>The database of one environment as a worker reaches it.</summary>
/// <param name="Probe">Writes through the path that clients take to a node; throws when the write was not acknowledged.</param>
public sealed record FailoverPair(IFailoverDatabase Database, IWitness Witness, Func<string, CancellationToken, Task> Probe)
{
    /// <summary>Those between us and the guards; null: there are no guards.</summary>
    public GuardCertificates? Certificates { get; init; }

    /// <summary>The times that decisions about it go by.</summary>
    public FailoverTiming Timing { get; init; } = new();

    /// <summary>The path of clients, as the connections state it.</summary>
    internal static Func<string, CancellationToken, Task> ProbeOf(string environment, FailoverAccess access) => async (node, ct) =>
    {
        var clients = access.Nodes.GetValueOrDefault(node)?.Clients
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"failover.{environment}.nodes.{node}.clients is missing in the connections file: nobody can tell whether clients can write.");
        using var server = PostgresServer.Open((access.Login ?? new()) with { Address = clients }, clients, access.ClientTls, $"failover.{environment}.login", secret: null);
        await server.WriteAsync(ct);
    };

    /// <summary>What became of a write, for evidence. A refusal of our login says nothing about the server.</summary>
    internal async Task<WriteProbe> TryWriteAsync(string node, TimeSpan patience, CancellationToken ct)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(patience);
        try
        {
            await Probe(node, deadline.Token);
            return WriteProbe.Written;
        }
        catch (AdapterException failure)
        {
            return failure.Kind == AdapterFailureKind.Unavailable ? WriteProbe.NoAnswer : WriteProbe.Unclear;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return WriteProbe.NoAnswer;
        }
    }
}

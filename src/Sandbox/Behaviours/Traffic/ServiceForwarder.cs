using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Traffic;

/// <summary>
/// What answers behind a Service: a loopback address that forwards to a target while the Service has a ready endpoint. Without one,
/// connections are closed as soon as they are made, and those that were open are cut.
/// </summary>
internal sealed class ServiceForwarder : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, byte> _forwarding = new();
    private readonly WatchCache _endpoints;
    private readonly ObjectKey _service;
    private readonly (string Host, int Port) _target;
    private readonly Lock _lock = new();
    private CancellationTokenSource _serving = new();
    private bool _ready;
    private Task _accepting = Task.CompletedTask;

    private ServiceForwarder(WatchCache endpoints, ObjectKey service, (string, int) target) => (_endpoints, _service, _target) = (endpoints, service, target);

    /// <summary><c>host:port</c>, the same for the forwarder's whole life.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Listens at once. Throws <see cref="ArgumentException"/> when the target is not <c>host:port</c>.</summary>
    /// <param name="target">Where to forward to: <c>host:port</c>.</param>
    public static Task<ServiceForwarder> StartAsync(ClusterBehaviours behaviours, string space, string name, string target)
    {
        var colon = target.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(target.AsSpan(colon + 1), out var port) || port is < 1 or > 65535)
            throw new ArgumentException($"The target of Service {space}/{name} is \"{target}\": host:port is expected.", nameof(target));
        var forwarder = new ServiceForwarder(behaviours.Cluster.Of(Resources.Endpoints), new(space, name), (target[..colon].Trim('[', ']'), port));
        forwarder.Run();
        return Task.FromResult(forwarder);
    }

    public async ValueTask DisposeAsync()
    {
        _endpoints.Changed -= Follow;
        await _stop.CancelAsync();
        _listener.Stop();
        Serve(false);
        await _accepting;
        await Task.WhenAll(_forwarding.Keys);
        _listener.Dispose();
        _serving.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        _listener.Start();
        Address = $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _endpoints.Changed += Follow;
        Serve(IsReady(_endpoints.Find(_service)));
        _accepting = Task.Run(AcceptAsync);
    }

    private static bool IsReady(ClusterObject? endpoints) =>
        endpoints is not null && endpoints.Body.Items("subsets").Any(subset => subset.Items("addresses").Any());

    private void Follow(ObjectChange change)
    {
        if (change.Latest.Key == _service)
            Serve(IsReady(_endpoints.Find(_service)));
    }

    private void Serve(bool ready)
    {
        lock (_lock)
        {
            if (_ready && !ready)
            {
                var before = _serving;
                _serving = new();
                // Not here: the connections' ends would run under the locks that are held now.
                _ = before.CancelAsync().ContinueWith(_ => before.Dispose(), TaskScheduler.Default);
            }
            _ready = ready;
        }
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var forwarding = ForwardAsync(client);
                _forwarding[forwarding] = 0;
                _ = forwarding.ContinueWith(done => _forwarding.TryRemove(done, out _), TaskScheduler.Default);
            }
            catch (Exception failure) when (failure is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Stopped, or a client that gave up before it was accepted.
            }
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        using var incoming = client;
        CancellationTokenSource cut;
        lock (_lock)
        {
            if (!_ready)
            {
                // A reset, as from a port that nobody listens on.
                incoming.LingerState = new(true, 0);
                return;
            }
            cut = CancellationTokenSource.CreateLinkedTokenSource(_serving.Token, _stop.Token);
        }
        using (cut)
        using (var outgoing = new TcpClient())
        {
            try
            {
                await outgoing.ConnectAsync(_target.Host, _target.Port, cut.Token);
                (incoming.NoDelay, outgoing.NoDelay) = (true, true);
                await Task.WhenAll(CopyAsync(incoming, outgoing, cut), CopyAsync(outgoing, incoming, cut));
            }
            catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException)
            {
                incoming.LingerState = new(true, 0);
            }
        }
    }

    private static async Task CopyAsync(TcpClient from, TcpClient to, CancellationTokenSource cut)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream(), cut.Token);
            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch
        {
            await cut.CancelAsync();
            throw;
        }
    }
}

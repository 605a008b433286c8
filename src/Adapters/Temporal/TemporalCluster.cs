using PlatformOps.Platform.Provisioning;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Adapters.Temporal;

/// <summary>The platform's own Temporal cluster in one region, by its frontend. Every call has a timeout and is made once.</summary>
public sealed class TemporalCluster : IDisposable
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);

    private readonly TemporalConnectionOptions options;
    private readonly SemaphoreSlim gate = new(1);
    private TemporalConnection? connection;

    private TemporalCluster(string region, TemporalConnectionOptions options) => (Region, this.options) = (region, options);

    /// <summary>The region that it serves.</summary>
    public string Region { get; }

    /// <summary>Host and port of the frontend.</summary>
    public string Address => options.TargetHost!;

    /// <summary>Prepares a connection; nothing is sent yet.</summary>
    /// <param name="serviceAddress">Where the frontend's Service answers, when the connections state no other address.</param>
    /// <exception cref="AdapterException">A certificate file cannot be read.</exception>
    public static TemporalCluster Open(PlatformConnections connections, string region, string serviceAddress)
    {
        var how = connections.Of(region);
        return At(region, how.TemporalAddress ?? serviceAddress, how.TemporalTls);
    }

    /// <summary>As <see cref="Open"/>, of one server at an address of its own.</summary>
    /// <param name="host">The name in its certificate, when the connections state no other.</param>
    public static TemporalCluster OpenAt(PlatformConnections connections, string region, string address, string host)
    {
        var files = connections.Of(region).TemporalTls;
        return At(region, address, files is null ? null : files with { ServerName = files.ServerName ?? host });
    }

    /// <summary>One server in the network of the calling thread, without TLS: nobody else's threads send anything to it.</summary>
    /// <param name="name">Of where it is, for messages.</param>
    public static TemporalCluster OpenHere(string name, string address) => new(name, new(address)
    {
        Identity = Ownership.FieldManager,
        // Its threads are begun by this one, and are where this one is.
        Runtime = new(new()),
    });

    /// <summary>Asks the frontend who it is.</summary>
    /// <returns>The version of its server.</returns>
    /// <exception cref="AdapterException">It does not answer.</exception>
    public Task<string> VersionAsync(CancellationToken ct) => CallAsync(
        "describe the system", async (services, rpc) => (await services.GetSystemInfoAsync(new GetSystemInfoRequest(), rpc)).ServerVersion, ct);

    /// <inheritdoc/>
    public void Dispose() => gate.Dispose();

    /// <summary>Makes one call.</summary>
    /// <param name="what">What is asked for, in words: "register namespace orders".</param>
    internal Task<T> CallAsync<T>(string what, Func<WorkflowService, RpcOptions, Task<T>> call, CancellationToken ct) =>
        CallAsync(what, (TemporalConnection connected, RpcOptions rpc) => call(connected.WorkflowService, rpc), ct);

    internal async Task<T> CallAsync<T>(string what, Func<TemporalConnection, RpcOptions, Task<T>> call, CancellationToken ct)
    {
        try
        {
            var connected = await ConnectedAsync(ct);
            return await call(connected, new RpcOptions { Retry = false, Timeout = CallTimeout, CancellationToken = ct });
        }
        catch (RpcException failure) when (!ct.IsCancellationRequested)
        {
            throw TemporalFailures.Of(this, what, failure);
        }
        catch (Exception failure) when (failure is InvalidOperationException or TimeoutException or ArgumentException)
        {
            throw TemporalFailures.Unreachable(this, failure);
        }
    }

    private async Task<TemporalConnection> ConnectedAsync(CancellationToken ct)
    {
        await gate.WaitAsync(ct);
        try
        {
            return connection ??= await TemporalConnection.ConnectAsync(options).WaitAsync(CallTimeout, ct);
        }
        finally
        {
            gate.Release();
        }
    }

    private static TemporalCluster At(string region, string address, TlsFiles? files) => new(region, new(address)
    {
        Identity = Ownership.FieldManager,
        Tls = files is null ? null : Tls(files, region),
    });

    private static TlsOptions Tls(TlsFiles files, string region)
    {
        try
        {
            return new()
            {
                ServerRootCACert = Read(files.ServerCertificateAuthority),
                ClientCert = Read(files.ClientCertificate),
                ClientPrivateKey = Read(files.ClientKey),
                Domain = files.ServerName,
            };
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new AdapterException(
                AdapterFailureKind.Rejected, $"A TLS file for the Temporal frontend of {region} cannot be read: {failure.Message} Correct temporalTls in the connections file.", failure);
        }
    }

    private static byte[]? Read(string? file) => file is null ? null : File.ReadAllBytes(file);
}

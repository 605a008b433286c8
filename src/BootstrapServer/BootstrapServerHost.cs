using System.Net;
using Grpc.AspNetCore.Server.Model;
using Grpc.HealthCheck;
using Grpc.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PlatformOps.BootstrapServer.Access;
using PlatformOps.BootstrapServer.Batches;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Executions.Deleting;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.SearchAttributeTypes;
using PlatformOps.BootstrapServer.Storage;
using PlatformOps.BootstrapServer.Storage.Sqlite;
using PlatformOps.BootstrapServer.Timers;
using PlatformOps.BootstrapServer.Visibility;
using PlatformOps.BootstrapServer.Workers;

namespace PlatformOps.BootstrapServer;

/// <summary>
/// A running single-node Temporal-compatible server. Starting it recovers everything from the database file, then listens;
/// disposing it stops listening, lets accepted calls finish and closes the file.
/// </summary>
public sealed class BootstrapServerHost : IAsyncDisposable
{
    private readonly WebApplication app;

    private BootstrapServerHost(WebApplication app, string host)
    {
        this.app = app;
        var listening = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        Port = new Uri(listening.Addresses.First()).Port;
        Address = IPAddress.Parse(host).AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{host}]:{Port}" : $"{host}:{Port}";
    }

    /// <summary>The TCP port it listens on; the chosen one when the options said 0.</summary>
    public int Port { get; }

    /// <summary><c>host:port</c>, as <c>TEMPORAL_ADDRESS</c> and the SDK's target host want it.</summary>
    public string Address { get; }

    /// <summary>For tests that look at what no call shows.</summary>
    internal Engine Engine => app.Services.GetRequiredService<Engine>();

    /// <summary>Starts a server and returns when it answers calls.</summary>
    /// <exception cref="ArgumentException">Options that cannot work; the message lists all of them.</exception>
    /// <exception cref="IOException">The address is in use, or the database file cannot be used; the message says which and why.</exception>
    public static async Task<BootstrapServerHost> StartAsync(BootstrapServerOptions options, CancellationToken ct = default)
    {
        OptionChecks.Require(options);
        var app = Build(options);
        try
        {
            await app.Services.GetRequiredService<Engine>().RecoverAsync();
            await app.Services.GetRequiredService<NamespaceDirectory>().Ready;
            await app.Services.GetRequiredService<SearchAttributeRegistry>().Ready;
            app.Services.GetRequiredService<Retention>().Start();
            app.Services.GetRequiredService<BatchDirectory>().Recover();
            app.Services.GetRequiredService<NamespaceRemoval>().Resume();
            await app.StartAsync(ct);
            return new BootstrapServerHost(app, options.Host);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Completes when the host has been asked to stop (Ctrl-C or SIGTERM in the executable).</summary>
    public Task WaitForShutdownAsync(CancellationToken ct = default) => ((IHost)app).WaitForShutdownAsync(ct);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        await app.StopAsync(patience.Token);
        await app.DisposeAsync();
    }

    private static WebApplication Build(BootstrapServerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        ServerLogging.Configure(builder.Logging, LogLevel.Warning, json: false);
        if (options.LoggerFactory is { } factory)
            builder.Services.AddSingleton(factory);
        if (options.Access.Tls)
            builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Parse(options.Host), options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                if (options.Access.Tls)
                    TlsListener.Use(listen, options.Access, kestrel.ApplicationServices.GetRequiredService<ILogger<AccessOptions>>());
            });
            // A worker keeps many long polls open on one connection.
            kestrel.Limits.Http2.MaxStreamsPerConnection = 10_000;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
        });
        builder.Services.AddGrpc(grpc =>
        {
            // Payload limits are the engine's, with errors that name the limit; this one only bounds memory.
            grpc.MaxReceiveMessageSize = 64 * 1024 * 1024;
            grpc.MaxSendMessageSize = null;
            if (options.Access.ApiKeyFile is not null)
                grpc.Interceptors.Add<NamespaceLimit>();
            // One cluster hands nothing over.
            if (options.Clusters.Count > 1)
                grpc.Interceptors.Add<HandoverGate>();
        });
        AddServices(builder.Services, options);
        var app = builder.Build();
        var log = app.Services.GetRequiredService<ILogger<AccessOptions>>();
        // SDKs hand dynamic configuration of their own to every server: that is no news.
        foreach (var what in options.Ignored)
            log.Log(what.StartsWith("--dynamic-config-value", StringComparison.Ordinal) ? LogLevel.Information : LogLevel.Warning, "{Option} means nothing to this server and is ignored", what);
        if (options.Access.Authenticates)
            app.Use(next => new AccessGate(options.Access, log, next).PassAsync);
        app.Use(next => new UnansweredCalls(app.Services.GetServices<IProtocolCalls>(), next).PassAsync);
        app.MapGrpcService<ProtocolService<WorkflowServiceName>>();
        app.MapGrpcService<ProtocolService<OperatorServiceName>>();
        app.MapGrpcService<ProtocolService<TestServiceName>>();
        app.MapGrpcService<HealthServiceImpl>();
        app.MapGrpcService<ReflectionServiceImpl>();
        return app;
    }

    private static void AddProtocol<TName>(IServiceCollection services)
        where TName : IServiceName
    {
        services.AddSingleton<ProtocolService<TName>>();
        services.AddSingleton<IServiceMethodProvider<ProtocolService<TName>>, ProtocolMethods<TName>>();
    }

    private static void AddServices(IServiceCollection services, BootstrapServerOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton(options.Limits);
        services.AddSingleton(options.SkipTime ? new VirtualClock(options.TimeProvider) : options.TimeProvider);
        services.AddSingleton<IStore>(_ => options.DatabaseFile is { } file ? new SqliteStore(file) : new MemoryStore());
        services.AddSingleton<NamespaceDirectory>();
        services.AddSingleton<SearchAttributeRegistry>();
        services.AddSingleton<VisibilityIndex>();
        services.AddSingleton<QueueConfigs>();
        services.AddSingleton<MatchingEngine>();
        services.AddSingleton<WorkerRegistry>();
        services.AddSingleton<QueryDispatch>();
        services.AddSingleton<Engine>();
        services.AddSingleton<Retention>();
        services.AddSingleton<BatchDirectory>();
        services.AddSingleton<NamespaceRemoval>();
        AddProtocol<WorkflowServiceName>(services);
        AddProtocol<OperatorServiceName>(services);
        AddProtocol<TestServiceName>(services);
        ProtocolCalls.AddAll(services);
        services.AddSingleton(HealthyServices());
        // Made when somebody asks: it loads the description of the whole protocol.
        services.AddSingleton(_ => new ReflectionServiceImpl(
            WorkflowServiceName.Descriptor, OperatorServiceName.Descriptor, TestServiceName.Descriptor, Grpc.Health.V1.Health.Descriptor));
    }

    private static HealthServiceImpl HealthyServices()
    {
        var health = new HealthServiceImpl();
        foreach (var name in new[] { "", WorkflowServiceName.Name, OperatorServiceName.Name, TestServiceName.Name })
            health.SetStatus(name, Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus.Serving);
        return health;
    }
}

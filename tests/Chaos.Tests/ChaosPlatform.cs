using PlatformOps.Activities;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Specifications;
using PlatformOps.Starter.Up;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Testing;
using Temporalio.Worker;

namespace PlatformOps.Chaos.Tests;

/// <summary>An environment of the reference platform in the sandbox, and workers for it that are killed at their side effects.</summary>
internal sealed class ChaosPlatform : IAsyncDisposable
{
    private readonly DirectoryInfo folder;
    private readonly DataDirectory data;
    private readonly List<TemporalProxy> proxies = [];

    private ChaosPlatform(DirectoryInfo folder, Locations locations, DataDirectory data, UpStack stack) =>
        (this.folder, Locations, this.data, Stack) = (folder, locations, data, stack);

    public const string Environment = "production";

    public UpStack Stack { get; }

    public ITemporalClient Client => Stack.Client;

    /// <summary>Copies, which a test may change.</summary>
    public Locations Locations { get; }

    /// <summary>How the platform is reached, with everything that faults hit in between.</summary>
    public PlatformConnections Connections { get; private set; } = null!;

    private ProvisioningSources Sources => new(Locations.Specification, Locations.Catalog);

    /// <summary>The reference platform's production, with the managed database in place of the cluster's, and both services that keep records: so that every
    /// system's calls are there.</summary>
    public static Task<ChaosPlatform> ProductionAsync(EffectKiller killer, CancellationToken ct) => StartAsync(killer, (reference, copy) =>
    {
        Copy(reference.Specification, copy.Specification);
        Copy(reference.Catalog, copy.Catalog);
        // Another database is another store: its backups are not those of the one that is declared.
        var environment = Path.Combine(copy.Specification, "environments", $"{Environment}.yaml");
        File.WriteAllText(
            environment,
            $"{File.ReadAllText(environment).Split("\nschedules:")[0]}\ncomponents:\n  postgresql: {{enabled: false}}\n  managed-database: {{enabled: true, certificateAuthority: the sandbox's}}\n  dns-route53: {{enabled: true}}\n");
        Replace(Path.Combine(copy.Catalog, "dns-route53", "component.yaml"), ("excludes: [cloudflare]\n", ""));
        // Nobody is there to approve, and one step at a time lets us know whose call is killed.
        Replace(environment, ("approvals: 1", "approvals: 0"), ("maxParallel: 4", "maxParallel: 1"));
    }, ct);

    /// <summary>Two regions of very little, with an object in every system: the catalog's own components of AWS, and small ones of the rest.</summary>
    public static Task<ChaosPlatform> SmallAsync(EffectKiller killer, CancellationToken ct) => StartAsync(killer, (reference, copy) =>
    {
        var small = Path.Combine(AppContext.BaseDirectory, "Small");
        Copy(Path.Combine(small, "specification"), copy.Specification);
        Copy(Path.Combine(small, "catalog"), copy.Catalog);
        foreach (var component in new[] { "dns-route53", "managed-database", "object-storage" })
            Copy(Path.Combine(reference.Catalog, component), Path.Combine(copy.Catalog, component));
        // What the small catalog does not have, they do not need.
        Replace(Path.Combine(copy.Catalog, "managed-database", "component.yaml"), ("excludes: [postgresql]\n", ""));
        Replace(
            Path.Combine(copy.Catalog, "dns-route53", "component.yaml"),
            ("namespace: edge\n", "namespace: temporal-backend\n"), ("dependsOn: [load-balancer]\n", "dependsOn: [namespaces]\n"), ("excludes: [cloudflare]\n", ""));
    }, ct);

    /// <summary>Changes a copied file; every text has to be there.</summary>
    private static void Replace(string file, params (string From, string To)[] changes)
    {
        var text = File.ReadAllText(file);
        foreach (var (from, to) in changes)
        {
            Assert.Contains(from, text, StringComparison.Ordinal);
            text = text.Replace(from, to, StringComparison.Ordinal);
        }

        File.WriteAllText(file, text);
    }

    /// <summary>A worker whose activities die as the killer says.</summary>
    /// <param name="beginning">Called when a step begins, with its name.</param>
    public TemporalWorker Worker(EffectKiller killer, Func<string, Task>? beginning = null) => new(
        Client, WorkerRegistration.CreateWorkerOptions(new KilledActivities(() => new ProvisioningActivities(Sources, Connections), killer, beginning ?? (_ => Task.CompletedTask))));

    /// <summary>Changes what the specification declares of a component.</summary>
    public void Specify(string from, string to) => Replace(Path.Combine(Locations.Specification, "platform.yaml"), (from, to));

    /// <summary>A run's end; that it waits for a person is a failure.</summary>
    public static async Task<TReport> EndOfAsync<TRun, TReport>(WorkflowHandle<TRun, TReport> run)
        where TRun : Runbook
    {
        var result = run.GetResultAsync();
        while (await Task.WhenAny(result, Task.Delay(TimeSpan.FromSeconds(1))) != result)
        {
            var parked = await ParkedAsync(run);
            Assert.True(parked is null, parked);
        }

        return await result;
    }

    /// <summary>What an operation created and is there now, as the product lists it.</summary>
    public async Task<IReadOnlyList<ResourceAddress>> CreatedAsync(string operationId)
    {
        await using var activities = new ProvisioningActivities(Sources, Connections);
        return (await new ActivityEnvironment().RunAsync(() => activities.ListCreatedAsync(new CreatedObjectsInput(Environment, operationId)))).Objects;
    }

    /// <summary>What is there of ours, without the product's code: in the clusters by address, elsewhere by what can be told there.</summary>
    public async Task<IReadOnlyList<string>> EverythingAsync(CancellationToken ct)
    {
        var found = new List<string>();
        foreach (var region in Stack.Regions)
            found.AddRange((await EverythingOurs.ListAsync(region, ct)).Select(EverythingElse.Text));
        found.AddRange(await new EverythingElse(Connections, Stack.Temporals).ListAsync(ct));
        return [.. found.Order(StringComparer.Ordinal)];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var proxy in proxies)
            await proxy.DisposeAsync();
        await Stack.DisposeAsync();
        data.Dispose();
        folder.Delete(recursive: true);
    }

    private static async Task<ChaosPlatform> StartAsync(EffectKiller killer, Action<Locations, Locations> specify, CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("platformops-chaos-");
        var locations = Locations.From(Path.Combine(folder.FullName, "data"), Path.Combine(folder.FullName, "specification"), Path.Combine(folder.FullName, "catalog"));
        specify(Locations.From(null, null, null), locations);
        var data = DataDirectory.Take(locations.Data);
        var validation = Validation.Of(locations);
        Assert.True(validation.Specification is not null, string.Join('\n', validation.Problems));
        var stack = await UpStack.StartAsync(
            new UpOptions(Environment, Port: 0, PortIsWish: false, TimeScale: 0, Seed: 1, Worker: false, Once: true, Approve: false, Reset: false),
            validation.Specification, data, locations, verbose: false, ct);
        var platform = new ChaosPlatform(folder, locations, data, stack);
        await platform.ConnectAsync(killer);
        return platform;
    }

    private static async Task<string?> ParkedAsync<TRun, TReport>(WorkflowHandle<TRun, TReport> run)
        where TRun : Runbook
    {
        try
        {
            var status = await run.QueryAsync(workflow => workflow.Status());
            return status.Phase == RunbookPhase.Parked ? status.Summary : null;
        }
        catch (Exception busy) when (busy is WorkflowQueryFailedException or RpcException)
        {
            // A busy machine answers too late; the next look will tell.
            return null;
        }
    }

    private async Task ConnectAsync(EffectKiller killer)
    {
        var known = PlatformConnections.Load(data.Connections);
        var regions = new Dictionary<string, RegionConnection>();
        foreach (var (region, how) in known.Regions)
        {
            var proxy = await TemporalProxy.StartAsync(how.TemporalAddress!, killer.Faults);
            proxies.Add(proxy);
            regions[region] = how with { TemporalAddress = proxy.Address };
        }

        Connections = known with { Regions = regions };
        foreach (var fault in killer.Faults)
            Stack.Inject(fault);
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}

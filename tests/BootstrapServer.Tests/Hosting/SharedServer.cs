using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Worker;

[assembly: AssemblyFixture(typeof(SharedServer))]

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>
/// The server that the conformance tests share. <c>TEMPORAL_TEST_ADDRESS</c> points them at any other server instead, so that a
/// real one can judge them; it needs the namespace <c>default</c> and the search attributes below.
/// </summary>
public sealed class SharedServer : IAsyncLifetime
{
    public static readonly IReadOnlyDictionary<string, IndexedValueType> SearchAttributes = new Dictionary<string, IndexedValueType>
    {
        ["TestKeyword"] = IndexedValueType.Keyword,
        ["TestText"] = IndexedValueType.Text,
        ["TestInt"] = IndexedValueType.Int,
        ["TestDouble"] = IndexedValueType.Double,
        ["TestBool"] = IndexedValueType.Bool,
        ["TestDatetime"] = IndexedValueType.Datetime,
        ["TestKeywordList"] = IndexedValueType.KeywordList,
    };

    private BootstrapServerHost? host;

    public string Address { get; private set; } = "";

    public ITemporalClient Client { get; private set; } = null!;

    /// <summary>True when the tests run on another server than ours.</summary>
    public static bool IsOther => Environment.GetEnvironmentVariable("TEMPORAL_TEST_ADDRESS") is { Length: > 0 };

    public async ValueTask InitializeAsync()
    {
        Address = Environment.GetEnvironmentVariable("TEMPORAL_TEST_ADDRESS") ?? "";
        if (Address.Length == 0)
        {
            // Runs leave memory whenever they wait: what holds then holds for a server that keeps them.
            host = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { RunsInMemory = 0, SearchAttributes = SearchAttributes });
            Address = host.Address;
        }
        Client = await TemporalClient.ConnectAsync(new TemporalClientConnectOptions(Address));
    }

    /// <summary>
    /// Runs <paramref name="test"/> while a worker with a task queue of its own serves what <paramref name="configure"/> adds. The
    /// history of every workflow that ran on that queue is replayed afterwards, unless <paramref name="replay"/> says no.
    /// </summary>
    public async Task WithWorkerAsync(Action<TemporalWorkerOptions> configure, Func<string, Task> test, bool replay = true)
    {
        var options = new TemporalWorkerOptions("queue-" + Guid.NewGuid());
        configure(options);
        using (var worker = new TemporalWorker(Client, options))
            await worker.ExecuteAsync(() => test(options.TaskQueue!));
        if (replay)
            await Replay.AllOfQueueAsync(Client, options);
    }

    /// <summary>Another worker on the same queue, for tests that need two; stops when disposed.</summary>
    public RunningWorker StartWorker(string queue, Action<TemporalWorkerOptions> configure)
    {
        var options = new TemporalWorkerOptions(queue);
        configure(options);
        return new RunningWorker(Client, options);
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
            await host.DisposeAsync();
    }
}

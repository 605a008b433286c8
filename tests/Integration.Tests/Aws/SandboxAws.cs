using PlatformOps.Sandbox;
using PlatformOps.Sandbox.Aws;

namespace PlatformOps.Integration.Tests.Aws;

/// <summary>The sandbox's AWS, on a clock that the tests move.</summary>
public sealed class SandboxAws : TestAws
{
    private readonly MovableClock clock = new();
    private AwsStandIn? server;

    /// <summary>For how long what is new is missing from lists. Before it is started.</summary>
    public TimeSpan ListLag { get; set; }

    public override bool DatabasesTakeTime => true;

    public override string AccessKeyId => server!.AccessKeyId;

    public override async ValueTask InitializeAsync()
    {
        server = await AwsStandIn.StartAsync(new() { TimeProvider = clock, ListLag = ListLag });
        Address = server.Address;
    }

    /// <summary>Makes calls go wrong.</summary>
    public void Inject(Fault fault) => server!.Inject(fault);

    public void ClearFaults() => server!.ClearFaults();

    public override void LetTimePass() => clock.Add(TimeSpan.FromHours(1));

    public override async ValueTask DisposeAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
        await base.DisposeAsync();
    }

    private sealed class MovableClock : TimeProvider
    {
        private long added;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref added));

        public void Add(TimeSpan time) => Interlocked.Add(ref added, time.Ticks);
    }
}

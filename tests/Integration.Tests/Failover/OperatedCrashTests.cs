using PlatformOps.Workflows.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>The same with workers that die before and after the effect of a step, and after the server knows of it: never two nodes that take writes, every step once in the end. A death costs seconds until another worker is asked: that is what these wait for.</summary>
public sealed class OperatedCrashTests(ITestOutputHelper output)
{
    private const string First = GuardedPair.First, Second = GuardedPair.Second;

    private static readonly string[] There = ["claim", "fence", "promote", "verify", "repoint", "rebuild", "readiness"], Back = ["prepare", "fence", "claim", "promote", "verify", "repoint", "rebuild", "readiness"];

    private static readonly string[] Stack = ["repoint", "namespaces", "scale", "canary"];

    /// <summary>Of those whose death costs seconds: a step that may be silent for longer is waited for as long.</summary>
    private static readonly (string, Moment)[] SomeThere = [("claim", Moment.AfterEffect), ("fence", Moment.AfterCompletion), ("promote", Moment.BeforeEffect), ("promote", Moment.AfterEffect), ("rebuild", Moment.AfterCompletion)],
        SomeBack = [("prepare", Moment.AfterCompletion), ("fence", Moment.AfterEffect), ("claim", Moment.AfterCompletion), ("promote", Moment.AfterEffect)];

    [Fact]
    public Task CloudNativePG_changes_places_whenever_workers_die() => KilledAsync(new CloudNativeWorld());

    [Fact]
    public Task RDS_changes_places_whenever_workers_die() => KilledAsync(new RdsWorld());

    [Fact]
    public Task Aurora_changes_places_whenever_workers_die() => KilledAsync(new AuroraWorld());

    /// <summary>By force there, when namespaces are made active in the other region; handed over by the server on the way back.</summary>
    [Fact]
    public async Task All_that_moves_with_the_database_moves_whenever_workers_die()
    {
        await using var world = new WholeStackWorld();
        await world.StartAsync();
        foreach (var moment in All ? Enum.GetValues<Moment>().Cast<Moment?>() : [null])
        {
            world.KillAt(moment is { } every ? Each(Stack, every) : [("namespaces", Moment.AfterEffect), ("canary", Moment.AfterCompletion)]);
            await EndedAsync(world, await world.AskAsync(First, new FailOverInput("the test wants it", "ada", Forced: true, WithStack: true)));
            Assert.Equal(["west", "west"], await world.ActiveAsync());
            world.KillAt(moment is { } again ? Each(Stack, again) : [("namespaces", Moment.BeforeEffect), ("scale", Moment.AfterEffect)]);
            await EndedAsync(world, await world.AskAsync(Second, new FailBackInput("the test wants it", "ada", WithStack: true)));
            Assert.Equal(["east", "east"], await world.ActiveAsync());
        }
    }

    private static bool All => Environment.GetEnvironmentVariable("PLATFORMOPS_TEST_CRASHES") == "all";

    private async Task KilledAsync(OperatedWorld made)
    {
        await using var world = made;
        await world.StartAsync();
        foreach (var (there, back) in All ? Enum.GetValues<Moment>().Select(moment => (Each(There, moment), Each(Back, moment))) : [(SomeThere, SomeBack)])
        {
            world.KillAt(there);
            await EndedAsync(world, await world.LoseAsync(First));
            world.KillAt(back);
            await EndedAsync(world, await world.AskAsync(Second, new FailBackInput("the test wants it", "ada")));
        }
    }

    private async Task EndedAsync(OperatedWorld world, FailoverReport report)
    {
        output.WriteLine($"{report.Summary} Writable after {report.WritableAfterSeconds:0.0} s: {string.Join(", ", report.Phases.Select(phase => $"{phase.Name} {phase.Seconds:0.0} s"))}");
        Assert.Empty(world.NotReached);
        await world.RefusesOldEpochsAsync(report);
    }

    private static (string, Moment)[] Each(string[] steps, Moment moment) => [.. steps.Select(step => (step, moment))];
}

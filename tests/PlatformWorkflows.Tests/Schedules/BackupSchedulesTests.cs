using System.Reflection;
using Microsoft.Extensions.Time.Testing;
using PlatformOps.Activities;
using PlatformOps.Adapters.Schedules;
using PlatformOps.BootstrapServer;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Schedules;
using PlatformOps.Platform.Specification;
using PlatformOps.PlatformWorkflows.Tests.Backups;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;
using Temporalio.Worker;

namespace PlatformOps.PlatformWorkflows.Tests.Schedules;

/// <summary>Schedules of backups as a specification declares them, in a Temporal whose clock goes as the test says.</summary>
public sealed class BackupSchedulesTests : IAsyncLifetime
{
    private const string Environment = "production";

    private static readonly TimeSpan Step = TimeSpan.FromMinutes(5);

    private readonly FakeTimeProvider clock = new(FakeBackups.Start);
    private readonly List<(ScheduleSpecification Schedule, string Queue)> schedules = [];
    private readonly Dictionary<string, FakeBackups> stores = [];
    private BootstrapServerHost server = null!;
    private TemporalClient client = null!;
    private TemporalSchedules temporal = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await BootstrapServerHost.StartAsync(
            new() { TimeProvider = clock, SearchAttributes = RunbookSearchAttributes.All.ToDictionary(key => key.Name, key => key.ValueType) }, Ct);
        client = await TemporalClient.ConnectAsync(new(server.Address) { DataConverter = PlatformOpsDataConverter.Instance });
        temporal = new(client);
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task In_a_day_every_schedule_of_the_reference_platform_starts_its_runs_when_it_declares_and_none_waits_for_another()
    {
        foreach (var schedule in Reference().Schedules.Where(schedule => schedule.Runbook.NeedsStore))
            await DeclareAsync(schedule);
        Assert.Equal(18, schedules.Count);
        await RunningAsync(async () =>
        {
            for (var passed = TimeSpan.Zero; passed < TimeSpan.FromDays(1) + Step; passed += Step)
                await PassAsync();
        });

        foreach (var (schedule, _) in schedules)
        {
            var kept = await FindAsync(schedule);
            Assert.True((kept.Started, kept.Missed, kept.Skipped, kept.Dropped) == (Due(schedule), 0, 0, 0), $"{schedule.Name} was started {kept.Started} times instead of {Due(schedule)}; {kept.Missed} were missed, {kept.Skipped} skipped.");
            Assert.All(kept.Recent, run => Assert.InRange(run.Started - run.Due, TimeSpan.Zero, schedule.Jitter + Step));
            Assert.All(kept.Recent, run => Assert.Equal(0, (run.Due - DateTimeOffset.UnixEpoch).Ticks % schedule.Every!.Value.Ticks));
        }

        Assert.Empty(await client.ListWorkflowsAsync("ExecutionStatus != 'Completed'").ToListAsync(Ct));
        Assert.Equal(48, stores["search"].Sets.Count);
        Assert.All(stores.Values, store => Assert.Empty(store.Quarantines));
    }

    [Fact]
    public async Task A_backup_that_stands_still_is_given_up_in_time_for_the_next_one_and_says_so()
    {
        await DeclareAsync(Reference().Schedules.Single(schedule => schedule.Name == "backup-search"));
        var backups = stores["search"];
        backups.Slow = true;
        await RunningAsync(async () =>
        {
            Pass(31);
            // Its time counts from here: until then the clock stands.
            await Wait.UntilAsync(() => Task.FromResult(backups.StandsStill), still => still, _ => "nothing was begun");
            Pass(28);
            await UntilAsync(BackupOutcome.Failed);
            await EndedAsync();
            backups.Slow = false;
            Pass(3);
            await UntilAsync(BackupOutcome.Complete);
        });
        var kept = await FindAsync(schedules[0].Schedule);
        Assert.Equal((2, 0, 0), (kept.Started, kept.Missed, kept.Skipped));

        void Pass(int minutes)
        {
            for (var minute = 0; minute < minutes; minute++)
                clock.Advance(TimeSpan.FromMinutes(1));
        }

        Task<BackupSet[]> UntilAsync(BackupOutcome outcome) => Wait.UntilAsync(
            () => Task.FromResult(backups.Sets.Values.ToArray()), sets => sets.Any(set => set.Outcome == outcome), sets => $"{string.Join(", ", sets.Select(set => $"{set.Id} {set.Outcome} {set.Reason}"))} at {clock.GetUtcNow():u}");
    }

    /// <summary>Brings Temporal to it twice: the second time there is nothing to do.</summary>
    private async Task DeclareAsync(ScheduleSpecification schedule)
    {
        var (id, store) = (SchedulePlan.IdOf(Environment, schedule.Name), StoreOf(schedule));
        Assert.True(await temporal.PutAsync(id, null, Environment, schedule, store, Environment, Ct));
        Assert.Equal(ScheduleAction.Keep, Assert.Single(SchedulePlan.Make(Environment, new Dictionary<string, ScheduleForm> { [id] = ScheduleForm.Of(Environment, schedule, store) }, [(await FindAsync(schedule)).Found], prune: true)).Action);
        schedules.Add((schedule, store));
        if (schedule.Runbook.BacksUp is { } kind)
            stores[store] = FakeBackups.Of(kind);
    }

    private async Task RunningAsync(Func<Task> work)
    {
        var workers = stores.Select(store => new TemporalWorker(client, WorkerRegistration.CreateWorkerOptions(new FakeWorld(Plans.Chain), store.Key, backups: store.Value))).ToList();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var running = workers.ConvertAll(worker => worker.ExecuteAsync(stopping.Token));
        try
        {
            await work();
        }
        finally
        {
            await stopping.CancelAsync();
            foreach (var run in running)
                await run.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            workers.ForEach(worker => worker.Dispose());
        }
    }

    /// <summary>Lets time pass, then waits until everything that is due by then was started and has ended.</summary>
    private async Task PassAsync()
    {
        foreach (var store in stores.Values)
            store.Now = clock.GetUtcNow() + Step;
        clock.Advance(Step);
        foreach (var (schedule, _) in schedules)
            await Wait.UntilAsync(() => FindAsync(schedule), kept => kept.Started >= Due(schedule), kept => $"{schedule.Name} was started {kept.Started} times instead of {Due(schedule)}.");
        await EndedAsync();
    }

    private Task<WorkflowExecutionCount> EndedAsync() => Wait.UntilAsync(() => client.CountWorkflowsAsync("ExecutionStatus = 'Running'"), running => running.Count == 0, running => $"{running.Count} runs go on.");

    /// <summary>How many runs are due by now, however late jitter lets them be.</summary>
    private long Due(ScheduleSpecification schedule)
    {
        var (began, now) = (FakeBackups.Start - DateTimeOffset.UnixEpoch, clock.GetUtcNow() - schedule.Jitter - DateTimeOffset.UnixEpoch);
        return (now.Ticks / schedule.Every!.Value.Ticks) - (began.Ticks / schedule.Every.Value.Ticks);
    }

    private async Task<KeptSchedule> FindAsync(ScheduleSpecification schedule) => (await temporal.FindAsync(SchedulePlan.IdOf(Environment, schedule.Name), Ct))!;

    /// <summary>The environment of this repository's example.</summary>
    private static EnvironmentSpecification Reference() =>
        SpecificationReader.Read(Texts("examples/reference"), CatalogReader.Read(Texts("k8s/components")).Catalog!).Specification!.Environments.Single(environment => environment.Name == Environment);

    private static Dictionary<string, string> Texts(string folder)
    {
        var root = Path.Combine(typeof(BackupSchedulesTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!, folder);
        return Directory.EnumerateFiles(root, "*.yaml", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(root, file), File.ReadAllText);
    }

    private static string StoreOf(ScheduleSpecification schedule) => $"{schedule.Input["store"]}{schedule.Input["region"]}";
}

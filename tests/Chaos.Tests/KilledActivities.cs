using PlatformOps.Activities.Provisioning;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Activities;
using Temporalio.Testing;

namespace PlatformOps.Chaos.Tests;

/// <summary>The product's activities in workers that die: an attempt that was killed tells nobody anything, and another worker, which remembers nothing,
/// begins the next one. What only looks is left alone.</summary>
/// <param name="beginning">Called when a step begins, with its name.</param>
internal sealed class KilledActivities(Func<ProvisioningActivities> newWorker, EffectKiller killer, Func<string, Task> beginning) : IProvisioningActivities
{
    public Task<PlanEnvironmentResult> PlanEnvironmentAsync(PlanEnvironmentInput input) => UnharmedAsync(worker => worker.PlanEnvironmentAsync(input));

    public Task<ComponentReport> ApplyComponentAsync(ApplyComponentInput input) => KilledAsync($"apply {input.Plan.Step}", worker => worker.ApplyComponentAsync(input));

    /// <summary>To find out whether Temporal works, each attempt starts a workflow there.</summary>
    public Task<ComponentHealth> AwaitHealthAsync(AwaitHealthInput input) =>
        KilledAsync($"health of {input.Reference.Component}@{input.Reference.Region}", worker => worker.AwaitHealthAsync(input), repeats: true);

    public Task<RemovedObjects> RemoveCreatedAsync(CreatedObjectsInput input) => KilledAsync($"undo {input.Component}@{input.Region}", worker => worker.RemoveCreatedAsync(input));

    public Task<CreatedObjects> ListCreatedAsync(CreatedObjectsInput input) => UnharmedAsync(worker => worker.ListCreatedAsync(input));

    public Task<SpecificationChange> ProposeAdoptionAsync(ProposeAdoptionInput input) => UnharmedAsync(worker => worker.ProposeAdoptionAsync(input));

    public Task<ComponentReport> RemovePlannedAsync(RemovePlannedInput input) => KilledAsync($"remove {input.Plan.Step}", worker => worker.RemovePlannedAsync(input));

    public Task<LedgerPage> ReadLedgerAsync(ReadLedgerInput input) => UnharmedAsync(worker => worker.ReadLedgerAsync(input));

    public Task<CapturedComponent> CaptureComponentAsync(CaptureComponentInput input) => UnharmedAsync(worker => worker.CaptureComponentAsync(input));

    public Task<ComponentReport> RestoreComponentAsync(RestoreComponentInput input) =>
        KilledAsync($"restore {input.Reference.Component}@{input.Reference.Region}", worker => worker.RestoreComponentAsync(input));

    public Task<ActingRuns> FindActingRunsAsync(FindActingRunsInput input) => UnharmedAsync(worker => worker.FindActingRunsAsync(input));

    private async Task<T> KilledAsync<T>(string step, Func<ProvisioningActivities, Task<T>> attempt, bool repeats = false)
    {
        var context = ActivityExecutionContext.Current;
        await beginning(step);
        try
        {
            while (true)
            {
                var process = new ActivityEnvironment { Info = context.Info, Heartbeater = context.Heartbeat };
                killer.Begin(step, repeats, death: () => process.Cancel());
                await using var abort = context.CancellationToken.Register(() => process.Cancel());
                try
                {
                    var result = await process.RunAsync(() => UnharmedAsync(attempt));
                    if (!killer.Died)
                        return result;
                }
                catch (Exception) when (killer.Died && !context.CancellationToken.IsCancellationRequested)
                {
                    // Its last words are not heard.
                }
            }
        }
        finally
        {
            killer.End();
        }
    }

    private async Task<T> UnharmedAsync<T>(Func<ProvisioningActivities, Task<T>> attempt)
    {
        await using var worker = newWorker();
        return await attempt(worker);
    }
}

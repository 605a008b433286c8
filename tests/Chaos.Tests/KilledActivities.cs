using PlatformOps.Activities.Provisioning;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Chaos.Tests;

/// <summary>The product's activities in workers that die: an attempt that was killed tells nobody anything, and another worker, which remembers nothing,
/// begins the next one.</summary>
internal sealed class KilledActivities(Func<ProvisioningActivities> newWorker, EffectKiller killer) : IProvisioningActivities
{
    public Task<PlanEnvironmentResult> PlanEnvironmentAsync(PlanEnvironmentInput input) => UnharmedAsync(worker => worker.PlanEnvironmentAsync(input));

    public async Task<ComponentReport> ApplyComponentAsync(ApplyComponentInput input)
    {
        try
        {
            while (true)
            {
                killer.Begin(input.Plan.Step);
                try
                {
                    var report = await UnharmedAsync(worker => worker.ApplyComponentAsync(input));
                    if (!killer.Died)
                        return report;
                }
                catch (Exception) when (killer.Died)
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

    public Task<ComponentHealth> AwaitHealthAsync(AwaitHealthInput input) => UnharmedAsync(worker => worker.AwaitHealthAsync(input));

    public Task<RemovedObjects> RemoveCreatedAsync(CreatedObjectsInput input) => UnharmedAsync(worker => worker.RemoveCreatedAsync(input));

    public Task<CreatedObjects> ListCreatedAsync(CreatedObjectsInput input) => UnharmedAsync(worker => worker.ListCreatedAsync(input));

    public Task<SpecificationChange> ProposeAdoptionAsync(ProposeAdoptionInput input) => UnharmedAsync(worker => worker.ProposeAdoptionAsync(input));

    public Task<ComponentReport> RemovePlannedAsync(RemovePlannedInput input) => UnharmedAsync(worker => worker.RemovePlannedAsync(input));

    public Task<LedgerPage> ReadLedgerAsync(ReadLedgerInput input) => UnharmedAsync(worker => worker.ReadLedgerAsync(input));

    public Task<CapturedComponent> CaptureComponentAsync(CaptureComponentInput input) => UnharmedAsync(worker => worker.CaptureComponentAsync(input));

    public Task<ComponentReport> RestoreComponentAsync(RestoreComponentInput input) => UnharmedAsync(worker => worker.RestoreComponentAsync(input));

    public Task<ActingRuns> FindActingRunsAsync(FindActingRunsInput input) => UnharmedAsync(worker => worker.FindActingRunsAsync(input));

    private async Task<T> UnharmedAsync<T>(Func<ProvisioningActivities, Task<T>> attempt)
    {
        await using var worker = newWorker();
        return await attempt(worker);
    }
}

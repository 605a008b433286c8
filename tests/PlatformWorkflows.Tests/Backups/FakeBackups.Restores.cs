using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Backups.Vault;
using PlatformOps.Workflows.Backups;

namespace PlatformOps.PlatformWorkflows.Tests.Backups;

/// <summary>Restores of stores that are not databases.</summary>
internal sealed partial class FakeBackups
{
    /// <summary>What is planned for a cluster; null: it is refused.</summary>
    public StateRestorePlan? StateRestore { get; set; } = StatePlan(overwrites: 0);

    /// <summary>What could not be restored, at the first attempt.</summary>
    public Queue<string> Troubles { get; } = [];

    /// <summary>What the comparison finds, at the first look.</summary>
    public Queue<string> Differences { get; } = [];

    public FakeBackups Trouble(string trouble)
    {
        Troubles.Enqueue(trouble);
        return this;
    }

    public static StateRestorePlan StatePlan(int overwrites, int create = 3) => new()
    {
        Environment = "development",
        Store = "postgresql",
        Region = "us-east-1",
        Set = "new",
        Label = "newF",
        At = Start,
        Why = "It is the newest that can be restored.",
        Namespaces = ["shop"],
        Epoch = 7,
        Kinds = [new("configmaps", create, overwrites, 5, 1, 2)],
        Overwrites = [.. Enumerable.Range(0, overwrites).Select(number => new PlannedOverwrite($"us-east-1 ConfigMap shop/{number}", "abc", "data.currency"))],
        Kept = [],
        Left = [],
        Notes = [],
        Created = "c1",
        Archive = "a1",
    };

    /// <summary>What is planned for a Vault; null: it is refused.</summary>
    public VaultRestorePlan? VaultRestore { get; set; } = new()
    {
        Environment = "development",
        Store = "postgresql",
        Set = "new",
        Label = "new",
        At = Start,
        Why = "It is the newest that can be restored.",
        Address = "https://vault:8200",
        Snapshot = "s1",
        OtherKeys = false,
        Lost = "Everything is replaced.",
        Notes = [],
    };

    public Task<PlannedRestore<VaultRestorePlan>> PlanVaultRestoreAsync(PlanVaultRestoreInput input) =>
        DoAsync("plan", () => new PlannedRestore<VaultRestorePlan>(VaultRestore, VaultRestore is null ? "Vault is sealed." : null, Approvals, TimeSpan.FromHours(1)));

    public Task<VaultRestoreStepResult> VaultRestoreStepAsync(VaultRestoreStepInput input) => DoAsync(
        $"vault{input.Step}", () => input.Step == VaultRestoreStep.Fence ? new VaultRestoreStepResult("Done.", ["token a1"], ["secret/shop is at version 1 again."]) : new("Done."));

    public Dictionary<string, StoreKind> Stores { get; } = new() { ["postgresql"] = StoreKind.Postgresql, ["search"] = StoreKind.Elasticsearch, ["vault"] = StoreKind.Vault };

    public Task<ListedStores> ListStoresAsync(StoreReference input) => DoAsync("list", () => new ListedStores(Stores, Components, 1, TimeSpan.FromHours(1)));

    /// <summary>What is enabled.</summary>
    public IReadOnlyList<string> Components { get; set; } = ["app", "argo-cd"];

    /// <summary>What is found at a restored Temporal, at the first look.</summary>
    public Queue<string> Restless { get; } = [];

    public Task<FencedTemporal> FenceTemporalAsync(FenceTemporalInput input) =>
        DoAsync("fenceTemporal", () => new FencedTemporal(Restless.TryDequeue(out var why) ? [why] : [], [$"shop: 2 schedules, all paused by {input.Operation}."]));

    /// <summary>What is planned for an Elasticsearch.</summary>
    public SearchRestorePlan SearchRestore { get; set; } = SearchPlan("uuid-1");

    /// <param name="was">The id of the index that is replaced; null: it is made.</param>
    public static SearchRestorePlan SearchPlan(string? was) => new()
    {
        Environment = "development",
        Store = "postgresql",
        Region = "us-east-1",
        Set = "new",
        Label = "newF",
        At = Start,
        Why = "It is the newest that can be restored.",
        Manifest = "m1",
        Indices = [new("orders", 3, was)],
        Kept = [],
        Notes = [],
    };

    public Task<PlannedRestore<SearchRestorePlan>> PlanSearchRestoreAsync(PlanSearchRestoreInput input) => DoAsync("plan", () => new PlannedRestore<SearchRestorePlan>(SearchRestore, null, Approvals, TimeSpan.FromHours(1)));

    public Task<SearchRestoreDone> RestoreSearchStepAsync(SearchRestoreInput input) => DoAsync($"{input.Step}", () => new SearchRestoreDone("Done."));

    public Task<bool> ClaimSetAsync(ClaimSetInput input) => DoAsync(input.Release ? "release" : "claim", () => !input.Release);

    public Task<PlannedRestore<StateRestorePlan>> PlanStateRestoreAsync(PlanStateRestoreInput input) =>
        DoAsync("plan", () => new PlannedRestore<StateRestorePlan>(StateRestore, StateRestore is null ? "There is no whole set." : null, StateRestore?.IsEmpty == true ? 0 : Approvals, TimeSpan.FromHours(1)));

    public Task<RestoredState> RestoreStateAsync(StateRestoreInput input) => DoAsync("restoreState", () =>
    {
        IReadOnlyList<string> troubles = Troubles.TryDequeue(out var trouble) ? [trouble] : [];
        return new RestoredState(input.Plan.Count(kind => kind.Create) - troubles.Count, 5, input.Plan.Overwrites.Count, troubles.Count, troubles, TimeSpan.FromSeconds(4));
    });

    public Task<ComparedState> CompareStateAsync(StateRestoreInput input) => DoAsync("compare", () => new ComparedState(8, 1, 2, Differences.TryDequeue(out var difference) ? [difference] : []));
}

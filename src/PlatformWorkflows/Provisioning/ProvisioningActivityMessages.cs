using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Input of <see cref="IProvisioningActivities.PlanEnvironmentAsync"/>.</summary>
/// <param name="Components">Only these and, to provision, what they depend on; null: all.</param>
/// <param name="After">Go on after this step; null: from the first. What <see cref="PlanEnvironmentResult.More"/> of the page before said.</param>
/// <param name="IncludeDataStores">Only to decommission: whether data is to go too.</param>
/// <param name="Expected">Only to upgrade: what the specification has to say by now.</param>
public sealed record PlanEnvironmentInput(
    string Environment, IReadOnlyList<string>? Components = null, string? After = null, PlanPurpose Purpose = PlanPurpose.Provision, bool IncludeDataStores = false,
    ExpectedOfSpecification? Expected = null);

/// <summary>A page of a plan, and what may be done with the plan unasked.</summary>
/// <param name="Plan">As many of its steps as fit into a payload; everything else, the hash too, is that of the whole plan.</param>
/// <param name="More">The last step of this page when others follow it; null: the plan ends here.</param>
public sealed record PlanEnvironmentResult(ProvisioningPlan Plan, GuardRails GuardRails, string? More = null);

/// <summary>Names one component of one planned run.</summary>
/// <param name="SpecificationDigest">Of the environment that was planned with; another one on disk is refused.</param>
/// <param name="CatalogDigest">Of the catalog that was planned with; another one on disk is refused.</param>
public sealed record ComponentReference(
    string Environment, string Component, string Region, string OperationId, string SpecificationDigest, string CatalogDigest);

/// <summary>Input of <see cref="IProvisioningActivities.ApplyComponentAsync"/>.</summary>
/// <param name="Plan">The part of the plan to carry out.</param>
/// <param name="Purpose">What the plan was made for.</param>
public sealed record ApplyComponentInput(ComponentReference Reference, PlannedComponent Plan, PlanPurpose Purpose = PlanPurpose.Provision);

/// <summary>What became of a component's objects. Also the first detail of a failure, as far as it is known then.</summary>
public sealed record ComponentReport(IReadOnlyList<ObjectOutcome> Objects);

/// <summary>Input of <see cref="IProvisioningActivities.AwaitHealthAsync"/>.</summary>
/// <param name="Within">How long the component may take to become healthy.</param>
/// <param name="Gone">Objects that are not to be there, so that no gate waits for them; null: none.</param>
/// <param name="Returned">Objects that are to be as here, and not as specified; null: none. Gates that compare want them so.</param>
public sealed record AwaitHealthInput(ComponentReference Reference, TimeSpan Within, IReadOnlyList<ResourceAddress>? Gone = null, IReadOnlyList<CapturedObject>? Returned = null);

/// <summary>Heartbeat of <see cref="IProvisioningActivities.AwaitHealthAsync"/>; the next attempt goes on from it.</summary>
/// <param name="Since">When the first attempt began to wait.</param>
/// <param name="Message">For example <c>Deployment temporal-backend/temporal-history: 2/3 replicas ready</c>.</param>
public sealed record HealthProgress(DateTimeOffset Since, string Message);

/// <summary>Every gate of a component passed.</summary>
/// <param name="Message">For example <c>2 of 2 gates passed: ...</c>.</param>
public sealed record ComponentHealth(string Message);

/// <summary>Names what one operation created.</summary>
/// <param name="Component">Only this one, together with <paramref name="Region"/>; null: every component in every region.</param>
public sealed record CreatedObjectsInput(string Environment, string OperationId, string? Component = null, string? Region = null);

/// <summary>What was removed, in this order.</summary>
public sealed record RemovedObjects(IReadOnlyList<ResourceAddress> Objects);

/// <summary>What exists.</summary>
public sealed record CreatedObjects(IReadOnlyList<ResourceAddress> Objects);

/// <summary>Input of <see cref="IProvisioningActivities.ProposeAdoptionAsync"/>.</summary>
/// <param name="Findings">What was found and is to become the specification.</param>
public sealed record ProposeAdoptionInput(string Environment, IReadOnlyList<DriftFinding> Findings);

/// <summary>Input of <see cref="IProvisioningActivities.RemovePlannedAsync"/>.</summary>
/// <param name="Plan">The part of the plan to carry out: what is planned as <see cref="PlannedAction.Prune"/> is removed, in this order.</param>
public sealed record RemovePlannedInput(ComponentReference Reference, PlannedComponent Plan);

/// <summary>Input of <see cref="IProvisioningActivities.ReadLedgerAsync"/>.</summary>
/// <param name="OperationId">Only what this operation created; null: everything of ours.</param>
/// <param name="After">Go on after so many entries: what <see cref="LedgerPage.More"/> of the page before said.</param>
public sealed record ReadLedgerInput(string Environment, string? OperationId = null, int After = 0);

/// <summary>As many entries as fit into a payload.</summary>
/// <param name="More">How many entries there have been when others follow; null: the ledger ends here.</param>
public sealed record LedgerPage(IReadOnlyList<LedgerEntry> Entries, int? More = null);

/// <summary>What an operator expects the specification to say of a component, so that an upgrade is not begun before it was specified.</summary>
/// <param name="Version">The tag of one of its images, or the version of its chart; null: any.</param>
/// <param name="Parameters">Values of its parameters, as text.</param>
public sealed record ExpectedOfSpecification(string? Version, IReadOnlyDictionary<string, string>? Parameters);

/// <summary>What was applied of one component before it is changed, without Secrets.</summary>
/// <param name="Manifests">The fields that are ours, of every object that the plan changes or removes.</param>
public sealed record CapturedComponent(IReadOnlyList<CapturedObject> Manifests);

/// <summary>The manifest of an object as it was applied before.</summary>
public sealed record CapturedObject(ResourceAddress Address, JsonObject Manifest);

/// <summary>Input of <see cref="IProvisioningActivities.CaptureComponentAsync"/>.</summary>
public sealed record CaptureComponentInput(ComponentReference Reference, PlannedComponent Plan);

/// <summary>Input of <see cref="IProvisioningActivities.RestoreComponentAsync"/>.</summary>
public sealed record RestoreComponentInput(ComponentReference Reference, CapturedComponent Captured);

/// <summary>Input of <see cref="IProvisioningActivities.FindActingRunsAsync"/>.</summary>
/// <param name="Except">The workflow id of whoever asks.</param>
public sealed record FindActingRunsInput(string Environment, string Except);

/// <summary>Runs that change an environment now or may go on to: their workflow ids.</summary>
public sealed record ActingRuns(IReadOnlyList<string> WorkflowIds);

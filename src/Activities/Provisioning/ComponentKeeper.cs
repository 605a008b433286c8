using System.Text.Json;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Keeps what was applied of a component before it is changed, and applies it again when the change did not do well.</summary>
/// <param name="ours">What is ours, whoever created it.</param>
/// <param name="created">What this operation created.</param>
internal sealed class ComponentKeeper(
    DeclaredSystems systems, OwnObjects ours, OwnObjects created, SpecifiedEnvironment specified, ComponentReference reference, Action<string> heartbeat)
{
    /// <summary>Bytes of JSON; a payload is to stay below 100 KB.</summary>
    private const int Largest = 90_000;

    public async Task<CapturedComponent> CaptureAsync(PlannedComponent plan, CancellationToken ct)
    {
        var region = specified.Region(reference.Region);
        var manifests = new List<CapturedObject>();
        foreach (var planned in plan.Objects.Where(planned => planned.Action is PlannedAction.Change or PlannedAction.Prune))
        {
            heartbeat($"Reading {planned.Address}");
            if (await systems.Of(planned.Address.ApiVersion, region).FindAsync(planned.Address, ct) is { } live && ours.IsOurs(live) && ManagedManifest.Of(live.Manifest) is { } manifest)
                manifests.Add(new(planned.Address, manifest));
        }

        var captured = new CapturedComponent(manifests);
        var size = JsonSerializer.SerializeToUtf8Bytes(captured, PlatformOpsDataConverter.Json).Length;
        return size <= Largest ? captured : throw new ApplicationFailureException(
            $"What is applied of {plan.Step} has {size} bytes, more than the {Largest} that a run can keep to return to. Nothing was changed. Provision it instead, or split the component.",
            FailureTypes.InvalidSpecification, nonRetryable: true);
    }

    public async Task<ComponentReport> RestoreAsync(CapturedComponent captured, CancellationToken ct)
    {
        var region = specified.Region(reference.Region);
        var outcomes = new List<ObjectOutcome>();
        foreach (var (address, manifest) in captured.Manifests)
        {
            ct.ThrowIfCancellationRequested();
            heartbeat($"Restoring {address}");
            var system = systems.Of(address.ApiVersion, region);
            var wanted = new DesiredObject(address, Stamped(manifest));
            if (await system.FindAsync(address, ct) is not { } live)
                await system.CreateAsync(wanted, ct);
            else if (ours.IsOurs(live))
                await system.TakeBackAsync(wanted, live, ct);
            else
                throw new ApplicationFailureException(
                    $"{address} does not carry our labels any more. Settle whose it is, then retry the step, or skip it to leave it.", FailureTypes.Conflict, nonRetryable: true);
            outcomes.Add(new(address, Owner, reference.OperationId, ObjectResult.RolledBack));
        }

        var removed = await new ObjectRemover(systems, created, heartbeat).RemoveAsync(region, await created.FindAsync(region, reference.Component, ct), ct);
        return new([.. outcomes, .. removed.Objects.Select(address => new ObjectOutcome(address, Owner, reference.OperationId, ObjectResult.RolledBack))]);
    }

    private string Owner => $"{reference.Component} of {specified.Environment.Platform}/{specified.Environment.Name}";

    private JsonObject Stamped(JsonObject manifest)
    {
        var stamped = (JsonObject)manifest.DeepClone();
        var metadata = (JsonObject)stamped["metadata"]!;
        metadata["annotations"] ??= new JsonObject();
        metadata["annotations"]![Ownership.OperationIdAnnotation] = reference.OperationId;
        return stamped;
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
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
    DeclaredSystems systems, OwnObjects ours, OwnObjects created, SpecifiedEnvironment specified, ComponentReference reference, TimeProvider time, Action<string> heartbeat)
{
    /// <summary>Bytes of JSON; a payload is to stay below 100 KB.</summary>
    private const int Largest = 90_000;

    /// <summary>A managed database may take many minutes before it takes the next change.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(12);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(5);

    public async Task<CapturedComponent> CaptureAsync(PlannedComponent plan, CancellationToken ct)
    {
        var region = specified.Region(reference.Region);
        var manifests = new List<CapturedObject>();
        foreach (var planned in plan.Objects.Where(planned => planned.Action is PlannedAction.Change or PlannedAction.Prune))
        {
            heartbeat($"Reading {planned.Address}");
            var system = systems.Of(planned.Address.ApiVersion, region);
            if (await system.FindAsync(planned.Address, ct) is not { } live)
                continue;
            if (ours.IsOurs(live) && system.Declaration(live) is { } manifest)
                manifests.Add(new(planned.Address, manifest));
            else if (planned.Address.Kind != "Secret")
                throw new ApplicationFailureException(
                    $"{planned.Address} does not say any more that it is ours, or which of its fields are: it could not be returned to what it is. Nothing was changed. Start again to plan with the facts of now.",
                    FailureTypes.FactsChanged, nonRetryable: true);
        }

        var captured = new CapturedComponent(manifests);
        var size = JsonSerializer.SerializeToUtf8Bytes(captured, PlatformOpsDataConverter.Json).Length;
        return size <= Largest ? captured : throw new ApplicationFailureException(
            $"What is applied of {plan.Step} has {size} bytes, more than the {Largest} that a run can keep to return to. Nothing was changed. Provision it instead, or split the component.",
            FailureTypes.InvalidSpecification, nonRetryable: true);
    }

    /// <summary>What is as it was already is left alone: an attempt that begins again goes on where the one before ended.</summary>
    /// <exception cref="ApplicationFailureException">Among others: a field cannot go back. By then everything else has; the message names it.</exception>
    public async Task<ComponentReport> RestoreAsync(CapturedComponent captured, CancellationToken ct)
    {
        var region = specified.Region(reference.Region);
        var (outcomes, stuck) = (new List<ObjectOutcome>(), new List<string>());
        foreach (var (address, manifest) in captured.Manifests)
        {
            ct.ThrowIfCancellationRequested();
            heartbeat($"Restoring {address}");
            var system = systems.Of(address.ApiVersion, region);
            var wanted = new DesiredObject(address, Stamped(manifest));
            if (await system.FindAsync(address, ct) is not { } live)
                await system.CreateAsync(wanted, ct);
            else if (ours.IsOurs(live))
                stuck.AddRange(await ReturnAsync(system, wanted, live, ct));
            else
                throw new ApplicationFailureException(
                    $"{address} does not carry our labels any more. Settle whose it is, then retry the step, or skip it to leave it.", FailureTypes.Conflict, nonRetryable: true);
            outcomes.Add(new(address, Owner, reference.OperationId, ObjectResult.RolledBack));
        }

        var removed = await new ObjectRemover(systems, created, heartbeat).RemoveAsync(region, await created.FindAsync(region, reference.Component, ct), ct);
        var report = new ComponentReport([.. outcomes, .. removed.Objects.Select(address => new ObjectOutcome(address, Owner, reference.OperationId, ObjectResult.RolledBack))]);
        return stuck.Count == 0 ? report : throw new ApplicationFailureException(
            $"{string.Join(" ", stuck)} Everything else of {reference.Component} in {region.Name} is as it was. Bring it back by hand and retry the step, or skip it to leave it.",
            FailureTypes.Rejected, nonRetryable: true, details: [report]);
    }

    /// <returns>What cannot go back, with the reasons.</returns>
    private async Task<IReadOnlyList<string>> ReturnAsync(IDeclaredObjects system, DesiredObject wanted, ObservedObject live, CancellationToken ct)
    {
        await UntilItTakesChangesAsync(system, live, ct);
        live = await system.FindAsync(wanted.Address, ct) ?? throw new AdapterException(AdapterFailureKind.Moved, $"{wanted.Address} is gone by now.");
        var changes = FieldDiff.Compare(wanted.Manifest, live.Manifest);
        var stuck = FixedFields.In(wanted.Manifest, changes).ToList();
        foreach (var (change, _) in stuck)
            Keep(wanted.Manifest, live.Manifest, change.Path.Split('.')[1]);
        if (changes.Count > stuck.Count)
            await system.TakeBackAsync(wanted, live, ct);
        return [.. stuck.Select(found => $"{wanted.Address}: {found.Reason}")];
    }

    private async Task UntilItTakesChangesAsync(IDeclaredObjects system, ObservedObject live, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        for (var pause = FirstPause; await system.WhyBusyAsync(live, ct) is { } why; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            if (time.GetElapsedTime(began) >= Patience)
                throw new AdapterException(AdapterFailureKind.Unavailable, $"{why}. See what keeps it, then retry the step.");
            heartbeat(why);
            await Task.Delay(pause, time, ct);
        }
    }

    /// <summary>A field of the specification that stays as it is.</summary>
    private static void Keep(JsonObject wanted, JsonObject live, string field)
    {
        var spec = (JsonObject)wanted["spec"]!;
        spec.Remove(field);
        if (live["spec"]?[field] is { } there)
            spec[field] = there.DeepClone();
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

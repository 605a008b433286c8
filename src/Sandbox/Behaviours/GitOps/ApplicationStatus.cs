using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.GitOps;

/// <summary>An object that an Application wants, or has and no longer wants, beside the one that there is.</summary>
internal sealed record ComparedResource(JsonObject Wanted, ClusterObject? Live, bool Synced)
{
    /// <summary>It is no longer wanted.</summary>
    public bool RequiresPruning { get; init; }
}

/// <summary>What Argo CD writes into an Application's status.</summary>
internal sealed class ApplicationStatus(ClusterObject application, DateTimeOffset now)
{
    private const string Succeeded = "Succeeded";
    private readonly List<JsonNode> _sources = [.. ApplicationSource.Bodies(application)];
    private readonly JsonNode? _operation = application.Status.At("operationState");

    /// <summary>Whether somebody asked for this comparison, so that it has a time of its own even when it finds what was there.</summary>
    public bool Asked { get; init; }

    private bool Several => application.Spec.Items("sources").Any();

    /// <summary>Whether the last sync, however it ended, was of what the Application says now.</summary>
    public bool AttemptedThis => _operation.At("syncResult") is { } result
        && JsonDifference.Same(Several ? result.At("sources") : result.At("source"), Several ? _sources.ToJson() : _sources.FirstOrDefault());

    public bool Failed => _operation.Text("phase") == "Failed";

    /// <summary>Whether that was synced, and went well.</summary>
    public bool SyncedThis => AttemptedThis && _operation.Text("phase") == Succeeded;

    /// <summary>It is not known what should be: the last known health stays.</summary>
    public JsonObject ComparisonError(string message) => With(new JsonObject
    {
        ["sync"] = Sync("Unknown"),
        ["health"] = application.Status.At("health")?.DeepClone() ?? new ResourceHealth(HealthCode.Healthy).ToJson(),
        ["conditions"] = new JsonArray(Condition("ComparisonError", message)),
    });

    public JsonObject Compared(List<ComparedResource> compared) => With(new JsonObject
    {
        ["sync"] = Sync(compared.TrueForAll(entry => entry.Synced) ? "Synced" : "OutOfSync"),
        ["health"] = Worst(compared).ToJson(),
        ["resources"] = compared.Select(entry => (JsonNode)Resource(entry)).ToJson(),
        ["summary"] = new JsonObject { ["images"] = Images(compared) },
        ["conditions"] = AttemptedThis && Failed ? application.Status.At("conditions")?.DeepClone() : new JsonArray(),
    });

    public JsonObject Synced(List<ComparedResource> compared)
    {
        var status = Compared(compared);
        status["conditions"] = new JsonArray();
        status["operationState"] = Operation(Succeeded, "successfully synced (all tasks run)", compared);
        var history = application.Status.Items("history").ToJson();
        if (!SyncedThis)
            history.Add(Sourced(new JsonObject { ["id"] = history.Count, ["deployedAt"] = now.Stamp() }));
        status["history"] = history;
        return status;
    }

    public JsonObject SyncFailed(List<ComparedResource> compared, string reason)
    {
        var status = Compared(compared);
        var message = $"one or more objects failed to apply, reason: {reason}";
        status["operationState"] = Operation("Failed", message, compared);
        status["conditions"] = new JsonArray(Condition("SyncError", $"Failed last sync attempt to {Revision()}: {message}"));
        return status;
    }

    private JsonObject With(JsonObject status)
    {
        // Only what changed is worth a new time, otherwise every look would lead to the next one.
        if (Asked || JsonDifference.Replacement(application.Status, status).Count > 0)
            status["reconciledAt"] = now.Stamp();
        return status;
    }

    private JsonObject Sync(string code)
    {
        var compared = new JsonObject { ["destination"] = application.Spec.At("destination")?.DeepClone() };
        if (Several)
            compared["sources"] = _sources.ToJson();
        else
            compared["source"] = _sources.FirstOrDefault()?.DeepClone();
        var sync = new JsonObject { ["status"] = code, ["comparedTo"] = compared };
        if (code != "Unknown")
            Revise(sync);
        return sync;
    }

    private JsonObject Operation(string phase, string message, List<ComparedResource> compared)
    {
        var again = AttemptedThis && _operation.Text("phase") == phase && _operation.Text("message") == message;
        return new()
        {
            ["operation"] = new JsonObject { ["sync"] = Revise([]), ["initiatedBy"] = new JsonObject { ["automated"] = application.Body.At("operation") is null } },
            ["phase"] = phase,
            ["message"] = message,
            ["startedAt"] = again ? _operation.Text("startedAt") : now.Stamp(),
            ["finishedAt"] = again ? _operation.Text("finishedAt") : now.Stamp(),
            ["syncResult"] = Sourced(new JsonObject { ["resources"] = compared.Where(entry => !entry.RequiresPruning).Select(entry => (JsonNode)Result(entry)).ToJson() }),
        };
    }

    private JsonObject Sourced(JsonObject fields)
    {
        if (Several)
            fields["sources"] = _sources.ToJson();
        else
            fields["source"] = _sources[0].DeepClone();
        return Revise(fields);
    }

    private JsonObject Revise(JsonObject fields)
    {
        if (Several)
            fields["revisions"] = _sources.Select(source => (JsonNode)(source.Text("targetRevision") ?? "")).ToJson();
        else
            fields["revision"] = Revision();
        return fields;
    }

    private string Revision() => string.Join(", ", _sources.Select(source => source.Text("targetRevision")));

    private static ResourceHealth Worst(List<ComparedResource> compared)
    {
        var worst = new ResourceHealth(HealthCode.Healthy);
        foreach (var health in compared.Where(entry => !entry.RequiresPruning).Select(Health).OfType<ResourceHealth>())
            if (health.Code > worst.Code)
                worst = new(health.Code);
        return worst;
    }

    private static ResourceHealth? Health(ComparedResource entry) => ApplicationHealth.Of(entry.Live, entry.Wanted.Text("kind")!);

    private static JsonObject Resource(ComparedResource entry)
    {
        var resource = Identity(entry);
        resource["status"] = entry.Synced ? "Synced" : "OutOfSync";
        if (Health(entry) is { } health)
            resource["health"] = health.ToJson();
        if (entry.RequiresPruning)
            resource["requiresPruning"] = true;
        return resource;
    }

    private static JsonObject Result(ComparedResource entry)
    {
        var result = Identity(entry);
        var synced = entry.Live is not null;
        result["status"] = synced ? "Synced" : "SyncFailed";
        result["syncPhase"] = "Sync";
        result["hookPhase"] = synced ? "Running" : "Failed";
        if (synced)
            result["message"] = $"{entry.Live!.Resource.Plural}{(entry.Live.Resource.Group.Length > 0 ? "." + entry.Live.Resource.Group : "")}/{entry.Live.Name} serverside-applied";
        return result;
    }

    private static JsonObject Identity(ComparedResource entry)
    {
        var version = entry.Wanted.Text("apiVersion")!.Split('/');
        var identity = new JsonObject { ["version"] = version[^1], ["kind"] = entry.Wanted.Text("kind"), ["name"] = entry.Wanted.At("metadata").Text("name") };
        if (version.Length > 1)
            identity["group"] = version[0];
        if (entry.Wanted.At("metadata").Text("namespace") is { } space)
            identity["namespace"] = space;
        return identity;
    }

    private static JsonArray Images(List<ComparedResource> compared) => compared
        .SelectMany(entry => entry.Wanted.At("spec").At("template").At("spec").Items("containers")).Select(container => container.Text("image")).OfType<string>()
        .Distinct().Select(image => (JsonNode)image).ToJson();

    private JsonObject Condition(string type, string message)
    {
        var before = application.Status.Item("conditions", "type", type);
        return new()
        {
            ["type"] = type,
            ["message"] = message,
            ["lastTransitionTime"] = before?.Text("message") == message ? before.Text("lastTransitionTime") : now.Stamp(),
        };
    }
}

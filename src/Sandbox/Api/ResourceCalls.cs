using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using PlatformOps.Sandbox.Kinds;
using PlatformOps.Sandbox.Reads;
using PlatformOps.Sandbox.Storage;
using PlatformOps.Sandbox.Writes;

namespace PlatformOps.Sandbox.Api;

/// <summary>Carries out one call on an object or a collection.</summary>
internal sealed class ResourceCalls(ObjectStore store, KindRegistry kinds, TimeProvider time)
{
    private readonly ObjectWriter writer = new(store, kinds, time);
    private readonly ListCalls lists = new(store);
    private readonly WatchCalls watches = new(store, time);

    /// <summary>Namespaces that every cluster has.</summary>
    private static readonly string[] FirstNamespaces = ["default", "kube-system"];

    /// <summary>Takes over what is stored, and makes what a cluster always has.</summary>
    public void Start()
    {
        writer.Remover.Reload();
        var namespaces = BuiltInKinds.Named("Namespace");
        foreach (var name in FirstNamespaces.Where(name => store.Find(ObjectKey.Of(namespaces, null, name)) is null))
            writer.Create(new(namespaces, null, name, "kube-apiserver"), new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } });
    }

    public Task CarryOutAsync(HttpContext context, ApiRequest request, IReadOnlyDictionary<string, string> query) =>
        (context.Request.Method, request.Name, request.Subresource) switch
        {
            ("GET", null, "") when query.GetValueOrDefault("watch") is "true" or "1" => WatchAsync(context, request, query, null),
            ("GET", null, "") => ListAsync(context, request, query),
            ("GET", _, "" or "status") when query.GetValueOrDefault("watch") is "true" or "1" => WatchAsync(context, request, query, request.Name),
            ("GET", not null, "" or "status") => GetAsync(context, request),
            ("GET", not null, "log") when request.Kind.Kind == "Pod" => LogAsync(context, request),
            ("GET" or "PUT" or "PATCH", not null, "scale") when request.Kind.HasScale => ScaleAsync(context, request, query),
            ("POST", null, "") => CreateAsync(context, request, query),
            ("POST", not null, "binding") when request.Kind.Kind == "Pod" => BindAsync(context, request, query),
            ("PUT", not null, "finalize") when request.Kind.Kind == "Namespace" => UpdateAsync(context, request, query),
            ("PUT", not null, "") => UpdateAsync(context, request, query),
            ("PUT", not null, "status") when request.Kind.HasStatus => UpdateAsync(context, request, query),
            ("PATCH", not null, "") => PatchAsync(context, request, query),
            ("PATCH", not null, "status") when request.Kind.HasStatus => PatchAsync(context, request, query),
            ("DELETE", null, "") => DeleteAllAsync(context, request, query),
            ("DELETE", not null, "") => DeleteAsync(context, request, query),
            (_, _, not ("" or "status" or "scale" or "finalize" or "binding" or "log")) => throw ApiFailure.NoSuchPath(),
            _ => throw ApiFailure.MethodNotAllowed(),
        };

    private static WriteRequest Write(HttpContext context, ApiRequest request, IReadOnlyDictionary<string, string> query)
    {
        var manager = query.GetValueOrDefault("fieldManager");
        if (string.IsNullOrEmpty(manager))
            manager = context.Request.Headers.UserAgent.ToString().Split('/', 2)[0] is { Length: > 0 } agent ? agent : "unknown";
        var dryRun = query.GetValueOrDefault("dryRun");
        if (dryRun is not (null or "" or "All"))
            throw ApiFailure.BadRequest($"dryRun: Unsupported value: \"{dryRun}\": supported values: \"All\"");
        return new(request.Kind, request.Namespace, request.Name ?? "", manager, request.Subresource, dryRun == "All");
    }

    private static async Task<JsonObject> ObjectIn(HttpContext context) =>
        await RequestBody.ReadAsync(context.Request, context.RequestAborted) as JsonObject ?? throw ApiFailure.BadRequest("the body is not an object");

    private static PatchKind PatchKindOf(HttpContext context)
    {
        var type = (context.Request.ContentType ?? "").Split(';')[0].Trim();
        return type switch
        {
            "application/json-patch+json" => PatchKind.Json,
            "application/merge-patch+json" => PatchKind.Merge,
            "application/strategic-merge-patch+json" => PatchKind.Strategic,
            "application/apply-patch+yaml" => PatchKind.Apply,
            _ => throw ApiFailure.UnsupportedMediaType(type),
        };
    }

    private Task WatchAsync(HttpContext context, ApiRequest request, IReadOnlyDictionary<string, string> query, string? name) =>
        WatchStream.WriteAsync(context, watches, Selection.From(request.Kind, request.Namespace, name, query), query, time);

    private Task ListAsync(HttpContext context, ApiRequest request, IReadOnlyDictionary<string, string> query)
    {
        var selection = Selection.From(request.Kind, request.Namespace, null, query);
        return Answer.ListAsync(context, selection, lists.List(selection, query), time.GetUtcNow());
    }

    private Task GetAsync(HttpContext context, ApiRequest request) => ReplyAsync(context, request.Kind, (JsonObject)Live(request).Value.DeepClone());

    private StoredObject Live(ApiRequest request) =>
        store.Find(ObjectKey.Of(request.Kind, request.Namespace, request.Name!)) ?? throw ApiFailure.NotFound(request.Kind, request.Name!);

    private async Task CreateAsync(HttpContext context, ApiRequest request, IReadOnlyDictionary<string, string> query)
    {
        var body = await ObjectIn(context);
        if (request.Kind.Namespaced && request.Namespace is null)
            throw ApiFailure.MethodNotAllowed();
        await ReplyAsync(context, request.Kind, writer.Create(Write(context, request, query), body), 201);
    }

    private async Task UpdateAsync(HttpContext context, ApiRequest request, IReadOnlyDictionary<string, string> query)
    {
        var body = await ObjectIn(context);
        await ReplyAsync(context, request.Kind, writer.Update(Write(context, request, query), body));
    }

    private async Task PatchAsync(HttpContext context, ApiRequest request, IReadOnlyDictionary<string, string> query)
    {
        var patchKind = PatchKindOf(context);
        if (patchKind == PatchKind.Apply && string.IsNullOrEmpty(query.GetValueOrDefault("fieldManager")))
            throw ApiFailure.BadRequest("PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch");
        var body = await RequestBody.ReadAsync(context.Request, context.RequestAborted) ?? throw ApiFailure.BadRequest("the patch is empty");
        var force = query.GetValueOrDefault("force") is "true" or "1";
        var isNew = store.Find(ObjectKey.Of(request.Kind, request.Namespace, request.Name!)) is null;
        await ReplyAsync(context, request.Kind, writer.Patch(Write(context, request, query), patchKind, body, force), isNew ? 201 : 200);
    }

    private async Task BindAsync(HttpContext context, ApiRequest request, IReadOnlyDictionary<string, string> query)
    {
        var binding = await ObjectIn(context);
        var node = binding["target"]?["name"].Text() ?? throw ApiFailure.BadRequest("target.name: Required value");
        writer.Bind(Write(context, request with { Subresource = "" }, query), node);
        await Answer.JsonAsync(context, new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["code"] = 201 }, 201);
    }

    private async Task DeleteAsync(HttpContext context, ApiRequest request, IReadOnlyDictionary<string, string> query)
    {
        var body = await RequestBody.ReadAsync(context.Request, context.RequestAborted) as JsonObject;
        var (value, gone) = writer.Remover.Delete(Dry(Write(context, request, query), body), DeleteOptions.From(body, query));
        await (gone && request.Kind.Kind is not ("Pod" or "Service" or "ServiceAccount" or "PersistentVolumeClaim")
            ? Answer.JsonAsync(context, Success(request.Kind, value))
            : ReplyAsync(context, request.Kind, value));
    }

    private async Task DeleteAllAsync(HttpContext context, ApiRequest request, IReadOnlyDictionary<string, string> query)
    {
        var body = await RequestBody.ReadAsync(context.Request, context.RequestAborted) as JsonObject;
        var selection = Selection.From(request.Kind, request.Namespace, null, query);
        foreach (var item in store.List(request.Kind.StorageKey, request.Namespace).Objects.Where(selection.Includes))
        {
            if (store.Find(item.Key) is null)
                continue;
            writer.Remover.Delete(Dry(Write(context, request with { Namespace = item.Key.Namespace, Name = item.Key.Name }, query), body), DeleteOptions.From(body, query));
        }

        await ListAsync(context, request, query);
    }

    private static WriteRequest Dry(WriteRequest request, JsonObject? options) =>
        options?["dryRun"] is JsonArray { Count: > 0 } ? request with { DryRun = true } : request;

    private static JsonObject Success(ResourceKind kind, JsonObject gone)
    {
        var details = new JsonObject { ["name"] = gone["metadata"]?["name"]?.DeepClone(), ["kind"] = kind.Plural, ["uid"] = gone["metadata"]?["uid"]?.DeepClone() };
        if (kind.Group.Length > 0)
            details["group"] = kind.Group;
        return new() { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["details"] = details };
    }

    private async Task ScaleAsync(HttpContext context, ApiRequest request, IReadOnlyDictionary<string, string> query)
    {
        var live = Live(request);
        if (context.Request.Method == "GET")
        {
            await Answer.JsonAsync(context, Scale.Of(live.Value));
            return;
        }

        var write = Write(context, request, query);
        var patchKind = context.Request.Method == "PATCH" ? PatchKindOf(context) : (PatchKind?)null;
        var body = await RequestBody.ReadAsync(context.Request, context.RequestAborted) ?? throw ApiFailure.BadRequest("the body is empty");
        var replicas = Scale.Replicas(request.Kind, live.Value, body, patchKind);
        var patch = new JsonObject { ["spec"] = new JsonObject { ["replicas"] = replicas } };
        if (body is JsonObject whole && whole["metadata"]?["resourceVersion"].Text() is { Length: > 0 } version)
            patch["metadata"] = new JsonObject { ["resourceVersion"] = version };
        await Answer.JsonAsync(context, Scale.Of(writer.Patch(write, PatchKind.Merge, patch, force: false)));
    }

    private async Task LogAsync(HttpContext context, ApiRequest request)
    {
        var pod = Live(request).Value;
        var container = (pod["spec"]?["containers"] as JsonArray)?.FirstOrDefault();
        context.Response.ContentType = "text/plain";
        await context.Response.WriteAsync(
            $"sandbox: {container?["image"].Text()} is played, not run; pod {request.Namespace}/{request.Name} is {pod["status"]?["phase"].Text()}.\n", context.RequestAborted);
    }

    private Task ReplyAsync(HttpContext context, ResourceKind kind, JsonObject value, int code = 200)
    {
        value["apiVersion"] = kind.ApiVersion;
        return Answer.ObjectAsync(context, kind, value, time.GetUtcNow(), code);
    }
}

using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Api;

/// <summary>A call is answered with an error, in the form and words that a Kubernetes API server uses.</summary>
internal sealed class ApiFailure(int code, string reason, string message, JsonObject? details = null) : Exception(message)
{
    public int Code => code;

    public string Reason => reason;

    /// <summary>Seconds after which the caller may try again; null: not stated.</summary>
    public int? RetryAfter { get; init; }

    public JsonObject ToStatus()
    {
        var status = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Failure",
            ["message"] = Message,
            ["reason"] = reason,
        };
        if (details is not null)
            status["details"] = details.DeepClone();
        status["code"] = code;
        return status;
    }

    public static ApiFailure NotFound(ResourceKind kind, string name) =>
        new(404, "NotFound", $"{kind.Resource} \"{name}\" not found", Details(kind, name, named: "kind"));

    public static ApiFailure NoSuchPath() =>
        new(404, "NotFound", "the server could not find the requested resource", new JsonObject());

    public static ApiFailure AlreadyExists(ResourceKind kind, string name) =>
        new(409, "AlreadyExists", $"{kind.Resource} \"{name}\" already exists", Details(kind, name, named: "kind"));

    public static ApiFailure Moved(ResourceKind kind, string name) => Conflict(
        kind, name, "the object has been modified; please apply your changes to the latest version and try again");

    public static ApiFailure Conflict(ResourceKind kind, string name, string why) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {kind.Resource} \"{name}\": {why}", Details(kind, name, named: "kind"));

    /// <summary>Fields of a server-side apply belong to others.</summary>
    public static ApiFailure FieldConflicts(ResourceKind kind, string name, IReadOnlyList<(string Manager, string Path)> conflicts)
    {
        var managers = conflicts.GroupBy(conflict => conflict.Manager).ToList();
        var words = managers.Count == 1 && conflicts.Count == 1
            ? $"Apply failed with 1 conflict: conflict with {managers[0].Key}: {conflicts[0].Path}"
            : $"Apply failed with {conflicts.Count} conflict{(conflicts.Count == 1 ? "" : "s")}: "
                + string.Join('\n', managers.Select(manager => $"conflicts with {manager.Key}:\n{string.Join('\n', manager.Select(conflict => $"- {conflict.Path}"))}"));
        var causes = new JsonArray([.. conflicts.Select(conflict => new JsonObject
        {
            ["reason"] = "FieldManagerConflict",
            ["message"] = $"conflict with {conflict.Manager}",
            ["field"] = conflict.Path,
        })]);
        return new(409, "Conflict", words, new JsonObject { ["causes"] = causes });
    }

    public static ApiFailure Invalid(ResourceKind kind, string name, IReadOnlyList<FieldProblem> problems)
    {
        var words = problems.Select(problem => $"{problem.Field}: {problem.Message}").ToList();
        var details = Details(kind, name, named: "kind", useKind: true);
        details["causes"] = new JsonArray([.. problems.Select(problem => new JsonObject
        {
            ["reason"] = problem.Reason,
            ["message"] = problem.Message,
            ["field"] = problem.Field,
        })]);
        return new(
            422, "Invalid",
            $"{kind.QualifiedKind} \"{name}\" is invalid: {(words.Count == 1 ? words[0] : $"[{string.Join(", ", words)}]")}", details);
    }

    public static ApiFailure BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiFailure Forbidden(ResourceKind kind, string name, string why, JsonArray? causes = null)
    {
        var details = Details(kind, name, named: "kind");
        if (causes is not null)
            details["causes"] = causes;
        return new(403, "Forbidden", $"{kind.Resource} \"{name}\" is forbidden: {why}", details);
    }

    public static ApiFailure Unauthorized() => new(401, "Unauthorized", "Unauthorized");

    public static ApiFailure MethodNotAllowed() =>
        new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", new JsonObject());

    public static ApiFailure UnsupportedMediaType(string given) =>
        new(415, "UnsupportedMediaType", $"the body of the request was in an unknown format - accepted media types include: application/json, application/yaml; got {given}");

    public static ApiFailure Expired(string message) => new(410, "Expired", message);

    private static JsonObject Details(ResourceKind kind, string name, string named, bool useKind = false)
    {
        var details = new JsonObject { ["name"] = name };
        if (kind.Group.Length > 0)
            details["group"] = kind.Group;
        details[named] = useKind ? kind.Kind : kind.Plural;
        return details;
    }
}

/// <summary>One field that is wrong.</summary>
/// <param name="Reason">For example <c>FieldValueRequired</c>.</param>
internal sealed record FieldProblem(string Field, string Reason, string Message)
{
    public static FieldProblem Required(string field, string why = "") => new(field, "FieldValueRequired", why.Length == 0 ? "Required value" : $"Required value: {why}");

    public static FieldProblem Invalid(string field, JsonNode? value, string why) => new(field, "FieldValueInvalid", $"Invalid value: {Shown(value)}: {why}");

    public static FieldProblem Immutable(string field, JsonNode? value) => Invalid(field, value, "field is immutable");

    public static FieldProblem Forbidden(string field, string why) => new(field, "FieldValueForbidden", $"Forbidden: {why}");

    public static FieldProblem Duplicate(string field, JsonNode? value) => new(field, "FieldValueDuplicate", $"Duplicate value: {Shown(value)}");

    public static FieldProblem NotSupported(string field, JsonNode? value, IEnumerable<string> allowed) => new(
        field, "FieldValueNotSupported", $"Unsupported value: {Shown(value)}: supported values: {string.Join(", ", allowed.Select(item => $"\"{item}\""))}");

    private static string Shown(JsonNode? value) => value?.ToJsonString() ?? "null";
}

using System.Text.Json.Nodes;
using PlatformOps.Platform.Health;

namespace PlatformOps.Platform.Secrets;

/// <summary>
/// Argo CD as a consumer that reads Secrets through the API: no pod has them as files. It finds them by a label, and shows what they hold when it fetches for an Application.
/// </summary>
/// <remarks>
/// A comparison that went well proves that what was shown is accepted, and not which value that was, as long as both are: that the new one is read is proved by pods of the application controller that started when it was
/// there. Only a hard refresh goes to the repository: a normal one answers from caches for a day (argo-cd v3.1, <c>reposerver/repository/repository.go</c>: <c>NoCache</c>). The request is an annotation that the controller takes away
/// with the status of the comparison (<c>controller/appcontroller.go</c>: <c>persistAppStatus</c>).
/// </remarks>
public static class ArgoCdReading
{
    /// <summary>The label that says what a Secret is for Argo CD.</summary>
    public const string SecretType = "argocd.argoproj.io/secret-type";

    /// <summary>The annotation that asks for a comparison past all caches, with the value <c>hard</c>.</summary>
    public const string Refresh = "argocd.argoproj.io/refresh";

    /// <summary>The kind of a consumer that is asked to compare, and not restarted.</summary>
    public const string Application = "Application";

    /// <summary>Whether a workload of Argo CD's namespace is the one that reads such Secrets, and hands them to the repository server with each request.</summary>
    public static bool IsController(JsonObject workload) =>
        (string?)workload["spec"]?["template"]?["metadata"]?["labels"]?["app.kubernetes.io/name"] == "argocd-application-controller";

    /// <summary>Whether this reading can be proved by Applications. Of what Argo CD writes to, and of kinds that came later, nobody can say it.</summary>
    public static bool IsRead(string secretType) => secretType is "repository" or "repo-creds" or "cluster";

    /// <summary>Whether an Application is served with what a Secret holds.</summary>
    /// <param name="secretType">The value of its label.</param>
    /// <param name="url">Its <c>url</c>, or <c>server</c> of a cluster.</param>
    /// <param name="name">Its <c>name</c>, by which clusters can be meant; null: it has none.</param>
    public static bool Serves(string secretType, string? url, string? name, JsonObject application)
    {
        var spec = application["spec"];
        if (secretType == "cluster")
            return Is(spec?["destination"]?["server"], url) || Is(spec?["destination"]?["name"], name);
        var sources = (spec?["sources"] as JsonArray ?? []).Append(spec?["source"]).Append(spec?["sourceHydrator"]?["drySource"]);
        return url is not null && sources.Select(source => ResourceStatus.Text(source?["repoURL"])).OfType<string>().Any(repository => secretType == "repo-creds"
            ? repository.StartsWith(url, StringComparison.OrdinalIgnoreCase)
            : Normal(repository) == Normal(url));

        static bool Is(JsonNode? field, string? wanted) => wanted is not null && ResourceStatus.Text(field) == wanted;
    }

    /// <summary>What the annotation of an Application says that was asked for a version: its number, and the comparison of before, from which the next one has to differ.</summary>
    public static string Mark(int version, JsonObject application) => $"{version} {ReconciledAt(application)}";

    /// <summary>How far an Application is.</summary>
    /// <param name="mark">What <see cref="Mark"/> left there; null: it was never asked.</param>
    /// <param name="version">The version that it is to be compared with.</param>
    public static (ConsumerStanding Standing, string Detail) Judge(JsonObject application, string? mark, int version)
    {
        if (mark?.Split(' ', 2) is not [var asked, var before] || asked != $"{version}")
            return (ConsumerStanding.Old, "It was not compared since.");
        if (application["metadata"]?["annotations"]?[Refresh] is not null)
            return (ConsumerStanding.Changing, "Argo CD was asked for a hard refresh, and has not made it yet. If that lasts, look at its application controller.");
        if (ReconciledAt(application) == before)
            return (ConsumerStanding.Old, "The hard refresh that it was asked for was taken away, and nothing was compared.");
        var error = (application["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(condition => ResourceStatus.Text(condition["type"]) is "ComparisonError" or "InvalidSpecError" or "UnknownError");
        return error is null
            ? (ConsumerStanding.Current, $"Argo CD fetched and compared it at {ReconciledAt(application)}, without an error.")
            : (ConsumerStanding.Failed, $"Argo CD cannot compare it ({ResourceStatus.Text(error["type"])}: {ResourceStatus.Text(error["message"])?.TrimEnd('.')}). See to what it says, then retryStep has it compared again.");
    }

    private static string ReconciledAt(JsonObject application) => ResourceStatus.Text(application["status"]?["reconciledAt"]) ?? "never";

    /// <summary>As Argo CD compares addresses of repositories: case and a final <c>.git</c> make no difference.</summary>
    private static string Normal(string url)
    {
        var plain = url.Trim().TrimEnd('/').ToLowerInvariant();
        return plain.EndsWith(".git", StringComparison.Ordinal) ? plain[..^4] : plain;
    }
}

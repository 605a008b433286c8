using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Catalog;

/// <summary>The Application by which Argo CD installs a component's chart.</summary>
internal static class ArgoApplication
{
    public static ObjectKind Kind { get; } = new("argoproj.io/v1alpha1", "Application");

    /// <param name="values">What the chart is told; parameters are filled in already, as in <paramref name="chart"/>.</param>
    public static JsonObject Of(string component, ChartDefinition chart, JsonObject values) => new()
    {
        ["apiVersion"] = Kind.ApiVersion,
        ["kind"] = Kind.Kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = component,
            ["namespace"] = chart.ApplicationNamespace,
            // Whoever removes the Application removes what it installed, and knows when that is gone.
            ["finalizers"] = new JsonArray("resources-finalizer.argocd.argoproj.io"),
        },
        ["spec"] = new JsonObject
        {
            ["project"] = "default",
            ["source"] = new JsonObject
            {
                ["repoURL"] = chart.Repository,
                ["chart"] = chart.Name,
                ["targetRevision"] = chart.Version,
                ["helm"] = new JsonObject { ["releaseName"] = component, ["valuesObject"] = values },
            },
            ["destination"] = new JsonObject { ["server"] = "https://kubernetes.default.svc", ["namespace"] = chart.Namespace },
            ["syncPolicy"] = new JsonObject
            {
                ["automated"] = new JsonObject { ["prune"] = true, ["selfHeal"] = true },
                // Definitions of kinds can be too large for the annotation that client-side apply leaves behind.
                ["syncOptions"] = new JsonArray("ServerSideApply=true", "CreateNamespace=false"),
            },
        },
    };
}

using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Custom;

namespace PlatformOps.Sandbox.Behaviours.GitOps;

/// <summary>
/// Argo CD's application controller: installs what the charts of an Application make, keeps it so where its sync policy says so, reports whether it is
/// in sync and healthy, and takes it away with the Application.
/// </summary>
internal sealed class ApplicationController : CustomController
{
    /// <summary>The workload that it is.</summary>
    public const string Workload = "argocd-application-controller";

    private const string Refresh = "argocd.argoproj.io/refresh";
    private const string ResourcesFinalizer = "resources-finalizer.argocd.argoproj.io";
    private static readonly ApiResource[] Installed =
        [Resources.Definitions, Resources.Services, Resources.Deployments, Resources.StatefulSets, Resources.DaemonSets];

    private readonly RepositoryAccess _repositories;

    public ApplicationController(Cluster cluster, BehaviourOptions options) : base(cluster, options, "argoproj.io", "Application")
    {
        _repositories = new(cluster, options);
        foreach (var resource in Installed)
            On(resource, change => TrackingId.Application(change.Latest) is { } name ? Where(application => application.Name == name) : []);
        On(Resources.Namespaces, change => Where(application => Destination(application) == change.Latest.Name));
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Find(key) is not { } application)
            return;
        if (application.Deleting)
        {
            await RemoveAsync(application, ct);
            return;
        }
        var asked = application.Annotations.Text(Refresh);
        var status = new ApplicationStatus(application, Now) { Asked = asked is not null };
        List<JsonObject> wanted;
        try
        {
            wanted = Render(application, hard: asked == "hard");
        }
        catch (SourceError error)
        {
            application = await WriteStatusAsync(application, status.ComparisonError(error.Message), ct);
            await AnsweredAsync(application, asked, ct);
            return;
        }
        if (MaySync(application, status) && (!Compare(application, wanted).TrueForAll(entry => entry.Synced) || !status.SyncedThis))
            await SyncAsync(application, status, wanted, ct);
        else
            application = await WriteStatusAsync(application, status.Compared(Compare(application, wanted)), ct);
        await AnsweredAsync(application, asked, ct);
    }

    /// <summary>A request for a refresh is taken away when its comparison is written down, unless another one came meanwhile.</summary>
    private async Task AnsweredAsync(ClusterObject application, string? asked, CancellationToken ct)
    {
        if (asked is not null && Find(application.Key)?.Annotations.Text(Refresh) == asked)
            await Cluster.PatchAsync(application, new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Refresh] = null } } }, ct);
    }

    private IEnumerable<ObjectKey> Where(Func<ClusterObject, bool> condition) => All().Where(condition).Select(application => application.Key);

    private static string Destination(ClusterObject application) => application.Spec.At("destination").Text("namespace") ?? "default";

    private static bool MaySync(ClusterObject application, ApplicationStatus status)
    {
        var automated = application.Spec.At("syncPolicy").At("automated");
        return application.Body.At("operation") is not null
            || automated is not null && (!status.AttemptedThis || automated.Flag("selfHeal") || status.Failed);
    }

    private List<JsonObject> Render(ClusterObject application, bool hard)
    {
        var sources = ApplicationSource.Of(application);
        if (sources.Count == 0)
            throw new SourceError("spec.source and spec.sources either of the two must be specified");
        return [.. sources.SelectMany((source, index) =>
        {
            if (_repositories.Fetch(application, source, hard) is { } refusal)
                throw new SourceError($"Failed to load target state: failed to generate manifest for source {index + 1} of {sources.Count}: rpc error: code = Unknown desc = {refusal}");
            if (ChartRepository.Find(source.Chart) is { } chart && chart.Has(source.Version))
                return ChartManifests.Of(chart, source, Destination(application)).Select(item => Tracked(application, item));
            throw new SourceError($"Failed to load target state: failed to generate manifest for source {index + 1} of {sources.Count}: rpc error: code = Unknown desc = "
                + $"error fetching chart: failed to fetch chart: chart \"{source.Chart}\" version \"{source.Version}\" not found in {source.Repository} repository");
        })];
    }

    private static JsonObject Tracked(ClusterObject application, JsonObject item)
    {
        item.Fields("metadata")!["annotations"] = new JsonObject { [TrackingId.Annotation] = TrackingId.Of(application.Name, item, Destination(application)) };
        return item;
    }

    private List<ComparedResource> Compare(ClusterObject application, List<JsonObject> wanted)
    {
        List<ComparedResource> compared = [];
        foreach (var item in wanted)
        {
            var live = Live(item);
            compared.Add(new(item, live, live is not null && Missing(live, item).Count == 0));
        }
        var names = wanted.Select(item => item.At("metadata").At("annotations").Text(TrackingId.Annotation)).ToHashSet();
        compared.AddRange(Tracked(application).Where(item => !names.Contains(item.Annotations.Text(TrackingId.Annotation)))
            .Select(extra => new ComparedResource(Identity(extra), extra, false) { RequiresPruning = true }));
        return compared;
    }

    private static JsonObject Identity(ClusterObject item)
    {
        var metadata = new JsonObject { ["name"] = item.Name };
        if (item.Namespace.Length > 0)
            metadata["namespace"] = item.Namespace;
        return new() { ["apiVersion"] = item.Resource.ApiVersion, ["kind"] = item.Resource.Kind, ["metadata"] = metadata };
    }

    private ClusterObject? Live(JsonObject item) => Cluster.Named(item.Text("apiVersion")!, item.Text("kind")!) is { } resource
        ? Cluster.Of(resource).Find(item.At("metadata").Text("namespace") ?? "", item.At("metadata").Text("name")!)
        : null;

    private IEnumerable<ClusterObject> Tracked(ClusterObject application) =>
        Installed.SelectMany(resource => Cluster.Of(resource).All).Where(item => TrackingId.Application(item) == application.Name);

    private async Task SyncAsync(ClusterObject application, ApplicationStatus status, List<JsonObject> wanted, CancellationToken ct)
    {
        if (await SpaceProblemAsync(application, ct) is { } problem)
        {
            await WriteStatusAsync(application, status.SyncFailed(Compare(application, wanted), problem), ct);
            return;
        }
        foreach (var item in wanted)
        {
            var resource = Cluster.Named(item.Text("apiVersion")!, item.Text("kind")!)!;
            await EnsureAsync(resource, item.At("metadata").Text("namespace") ?? "", item.Copy(), ct);
        }
        if (application.Spec.At("syncPolicy").At("automated").Flag("prune"))
            foreach (var extra in Compare(application, wanted).Where(entry => entry.RequiresPruning))
                await Cluster.DeleteAsync(extra.Live!, ct);
        application = await WriteStatusAsync(application, status.Synced(Compare(application, wanted)), ct);
        if (application.Body.At("operation") is not null)
            await Cluster.PatchAsync(application, new JsonObject { ["operation"] = null }, ct);
    }

    /// <summary>Makes the destination's namespace if it may; otherwise says that it is missing.</summary>
    private async Task<string?> SpaceProblemAsync(ClusterObject application, CancellationToken ct)
    {
        var space = Destination(application);
        if (Cluster.Of(Resources.Namespaces).Find("", space) is not null)
            return null;
        if (!application.Spec.At("syncPolicy").Items("syncOptions").Any(option => option.GetValue<string>() == "CreateNamespace=true"))
            return $"namespaces \"{space}\" not found";
        await Cluster.CreateAsync(Resources.Namespaces, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = space } }, ct);
        return null;
    }

    private async Task RemoveAsync(ClusterObject application, CancellationToken ct)
    {
        // The finalizer may say how: /background or /foreground.
        if (application.Finalizers.FirstOrDefault(name => name.Split('/')[0] == ResourcesFinalizer) is not { } finalizer)
            return;
        var left = Tracked(application).ToList();
        foreach (var item in left.Where(item => !item.Deleting))
            await Cluster.DeleteAsync(item, ct, finalizer.EndsWith("/background", StringComparison.Ordinal) ? "Background" : "Foreground");
        if (!Tracked(application).Any())
            await Cluster.RemoveFinalizerAsync(application, finalizer, ct);
    }

    /// <summary>What is to be installed cannot be known.</summary>
    private sealed class SourceError(string message) : Exception(message);
}

using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;

namespace PlatformOps.Platform.Provisioning.Preflight;

/// <summary>
/// Whether somebody's Helm release stands, half done, where Argo CD is to install a chart. Helm marks the release while it works and leaves the mark when it dies; Argo CD knows
/// nothing of such marks and would write over what Helm is still writing. Ours such a release can never be: we write Applications only.
/// </summary>
public static class HelmReleases
{
    /// <summary>Selects the records of releases that Helm is in the middle of (https://helm.sh/docs/topics/advanced/#storage-backends; the states are those of <c>helm status</c>).</summary>
    public const string Unfinished = "owner=helm,status in (pending-install,pending-upgrade,pending-rollback,uninstalling)";

    /// <summary>The Applications that a plan would write in a region.</summary>
    /// <param name="desired">Everything that is planned for the region.</param>
    public static IReadOnlyList<DesiredObject> Applications(ProvisioningPlan plan, IEnumerable<DesiredObject> desired)
    {
        var written = plan.Components.SelectMany(component => component.Objects).Where(planned => planned.Action is PlannedAction.Create or PlannedAction.Change)
            .Select(planned => planned.Address).ToHashSet();
        return [.. desired.Where(item => new ObjectKind(item.Address.ApiVersion, item.Address.Kind) == ArgoApplication.Kind && written.Contains(item.Address))];
    }

    /// <summary>One sentence for every Application whose release is in somebody's hands, with the next step; empty when there is none.</summary>
    /// <param name="applications">The Argo CD Applications that are to be written.</param>
    /// <param name="unfinished">The Secrets of the region that <see cref="Unfinished"/> selects; their labels are enough.</param>
    public static IReadOnlyList<string> Problems(IEnumerable<DesiredObject> applications, IReadOnlyCollection<ObservedObject> unfinished) =>
    [
        .. applications.SelectMany(application => unfinished.Where(record => Holds(record, application.Manifest)).Select(record => Problem(application.Address, record)))
            .Order(StringComparer.Ordinal),
    ];

    private static bool Holds(ObservedObject record, JsonObject application) =>
        record.Address.Namespace == (string?)application["spec"]?["destination"]?["namespace"]
        && Label(record, "name") == (string?)application["spec"]?["source"]?["helm"]?["releaseName"];

    private static string Problem(ResourceAddress application, ObservedObject record)
    {
        var (release, space) = (Label(record, "name"), record.Address.Namespace);
        return $"{application} would install over the Helm release {space}/{release}, which is {Label(record, "status")} at revision {Label(record, "version")}{Since(record)}: "
            + "Helm still works on it, or died while it did. It is not ours, so it is left as it is. "
            + $"See `helm history {release} --namespace {space}`; when nobody works on it any more, `helm rollback {release} --namespace {space}` (or `helm uninstall`) ends it. Then start again.";
    }

    /// <summary>Helm notes when it last wrote the record, in seconds since 1970, from the second revision on.</summary>
    private static string Since(ObservedObject record) =>
        long.TryParse(Label(record, "modifiedAt") ?? Label(record, "createdAt"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < 253402300800
            ? string.Create(CultureInfo.InvariantCulture, $" since {DateTimeOffset.FromUnixTimeSeconds(seconds):yyyy-MM-dd HH:mm} UTC")
            : "";

    private static string? Label(ObservedObject record, string name) => (string?)record.Manifest["metadata"]?["labels"]?[name];
}

using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Provisioning.Preflight;

namespace PlatformOps.Platform.Tests.Provisioning;

public sealed class HelmReleaseTests
{
    [Theory]
    [InlineData("pending-upgrade", "1764100000", " since 2025-11-25 19:46 UTC")]
    [InlineData("pending-install", "99999999999999", "")]
    [InlineData("uninstalling", "soon", "")]
    public void A_release_that_Helm_has_not_finished_is_named_with_how_to_end_it(string status, string modified, string since) => Assert.Equal(
        $"us-east-1 Application ops/search would install over the Helm release data/search, which is {status} at revision 7{since}: Helm still works on it, or died while it did. It is not ours, so it is left as it is. "
        + "See `helm history search --namespace data`; when nobody works on it any more, `helm rollback search --namespace data` (or `helm uninstall`) ends it. Then start again.",
        Assert.Single(HelmReleases.Problems([Application("search", "data")], [Record("search", "data", status, modified)])));

    [Fact]
    public void Releases_of_another_name_or_namespace_are_none_of_our_business() =>
        Assert.Empty(HelmReleases.Problems([Application("search", "data")], [Record("search", "shop", "pending-upgrade", "1"), Record("shop", "data", "pending-upgrade", "1")]));

    private static DesiredObject Application(string name, string space) => new(
        new("us-east-1", "argoproj.io/v1alpha1", "Application", "ops", name),
        JsonNode.Parse($$$$"""{"spec":{"source":{"helm":{"releaseName":"{{{{name}}}}"}},"destination":{"namespace":"{{{{space}}}}"}}}""")!.AsObject());

    private static ObservedObject Record(string release, string space, string status, string modified) => new(
        new("us-east-1", "v1", "Secret", space, $"sh.helm.release.v1.{release}.v7"),
        JsonNode.Parse($$$$"""{"metadata":{"labels":{"owner":"helm","name":"{{{{release}}}}","version":"7","status":"{{{{status}}}}","modifiedAt":"{{{{modified}}}}"}}}""")!.AsObject());
}

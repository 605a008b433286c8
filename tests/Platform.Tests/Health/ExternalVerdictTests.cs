using System.Text.Json.Nodes;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Tests.Health;

public sealed class ExternalVerdictTests
{
    private static readonly DesiredObject Declared = new(
        new("us-east-1", ObjectKind.ExternalApiVersion, "GitLabProject", null, "platform"),
        (JsonObject)JsonNode.Parse("""{"spec": {"visibility": "private", "archived": false, "protectedBranches": {"main": {"allowForcePush": false}}}}""")!);

    [Theory]
    [InlineData("""{"visibility": "private", "archived": false, "extra": 1, "protectedBranches": {"main": {"allowForcePush": false, "other": true}, "next": {}}}""")]
    [InlineData("""{"visibility": "public", "archived": false, "protectedBranches": {"main": {"allowForcePush": false}}}""", "GitLabProject platform: spec.visibility is public, and declared as private")]
    [InlineData("""{"visibility": "private", "archived": false, "protectedBranches": {}}""", "GitLabProject platform: spec.protectedBranches.main is not set, and declared as {\"allowForcePush\":false}")]
    [InlineData("""{"visibility": "private", "archived": true, "protectedBranches": {"main": {"allowForcePush": true}}}""",
        "GitLabProject platform: spec.archived is true, and declared as false", "GitLabProject platform: spec.protectedBranches.main.allowForcePush is true, and declared as false")]
    public void Every_declared_field_that_differs_is_named_with_both_values_and_others_do_not_count(string live, params string[] problems) =>
        Assert.Equal(problems, ExternalVerdict.Problems(Declared, (JsonObject)JsonNode.Parse(live)!));

    [Fact]
    public void What_the_service_does_not_have_is_missing() =>
        Assert.Equal(["GitLabProject platform does not exist"], ExternalVerdict.Problems(Declared, null));
}

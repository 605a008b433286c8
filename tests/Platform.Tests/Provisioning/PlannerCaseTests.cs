using System.Text.Json;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Tests.Provisioning;

/// <summary>What would be done in which situation: one folder for each, named by the sentence that it proves.</summary>
public class PlannerCaseTests
{
    private const string Canary = "canary-4d2e-of-a-password";

    public static TheoryData<string> Names => PlannerCase.Names;

    [Fact]
    public void There_are_cases() => Assert.NotEmpty(Names);

    [Theory]
    [MemberData(nameof(Names))]
    public void Plans(string sentence)
    {
        var item = PlannerCase.Read(sentence);

        Assert.Equal(item.Expected, item.Plan(), ignoreLineEndingDifferences: true);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Gives_the_same_bytes_and_hash_for_the_same_input_in_any_order(string sentence)
    {
        var item = PlannerCase.Read(sentence);
        if (item.Expected.StartsWith("refused", StringComparison.Ordinal))
            return;
        var first = ProvisioningPlanner.Plan(item.Environment, item.Catalog, [TestEnvironment.Observation(item.Observed)]);
        var bytes = JsonSerializer.Serialize(first);
        var order = new Random(1);
        for (var repeat = 0; repeat < 100; repeat++)
        {
            var (components, observed) = (item.Environment.Components.ToArray(), item.Observed.ToArray());
            order.Shuffle(components);
            order.Shuffle(observed);
            var again = ProvisioningPlanner.Plan(
                item.Environment with { Components = components }, item.Catalog,
                [TestEnvironment.Observation(observed) with { ObservedAt = DateTimeOffset.MaxValue, Source = "elsewhere" }]);
            Assert.Equal(bytes, JsonSerializer.Serialize(again));
        }

        Assert.Matches("^[0-9a-f]{64}$", first.Hash);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Never_shows_a_secret(string sentence)
    {
        var item = PlannerCase.Read(sentence);

        Assert.DoesNotContain(Canary, item.Plan(), StringComparison.Ordinal);
    }

    [Fact]
    public void Has_a_case_with_a_secret_to_hide() =>
        Assert.Contains(Names, row => PlannerCase.Read(row.Data).Observed.Any(item => item.Manifest.ToJsonString().Contains(Canary, StringComparison.Ordinal)));

    [Fact]
    public void Gives_another_hash_when_the_world_is_another()
    {
        var item = PlannerCase.Read("shows-every-field-that-differs");
        string Hash(IReadOnlyList<ObservedObject> observed) => ProvisioningPlanner.Plan(item.Environment, item.Catalog, [TestEnvironment.Observation(observed)]).Hash;
        var again = item.Observed.Select(live => live with { Manifest = live.Manifest.DeepClone().AsObject() }).ToList();
        again[0].Manifest["spec"]!["replicas"] = 2;

        Assert.Equal(3, new[] { Hash(item.Observed), Hash(again), Hash([]) }.Distinct().Count());
    }

    [Fact]
    public void Refuses_to_plan_with_a_region_that_was_not_observed()
    {
        var item = PlannerCase.Read(Names.First().Data);

        var refused = Assert.Throws<ArgumentException>(() => ProvisioningPlanner.Plan(item.Environment, item.Catalog, []));

        Assert.StartsWith("us-east-1 was not observed: what is unknown must not be planned with.", refused.Message, StringComparison.Ordinal);
    }
}

using System.Xml.Linq;
using PlatformOps.Platform.Scaling;

namespace PlatformOps.Platform.Tests.Scaling;

/// <summary>When a load has shown enough, and how it is drawn.</summary>
public sealed class CapacityTests
{
    private static readonly CapacityTargets Reference = new(1000, 10_000, 100_000, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));

    private static readonly CapacityStep Half = new(50, 100, 50_000, 0, 500_000, 50_000, new(5, 20, 80), new(2, 9, 30));

    [Fact]
    public void Both_rates_and_the_open_workflows_are_reached_together() => Assert.Equal((10, TimeSpan.FromSeconds(100)), (Reference.ActivitiesEach, Reference.OpenFor));

    [Fact]
    public void What_keeps_up_goes_on_and_what_does_not_says_what_was_asked_for()
    {
        Assert.Null(CapacityRules.Breach(Reference, Half));
        Assert.Null(CapacityRules.Breach(Reference, Half with { Started = 47_500 }));
        Assert.Equal("470.0 workflows were started each second; 500.0 were asked for.", CapacityRules.Breach(Reference, Half with { Started = 47_000 }));
    }

    [Theory]
    [InlineData(50, 0, 1001, 30, "99 of 100 starts took up to 1001 ms; 1000 ms are allowed.")]
    [InlineData(50, 0, 80, 1500, "99 of 100 activities waited up to 1500 ms for a worker; 1000 ms are allowed.")]
    [InlineData(50, 51, 80, 30, "51 of 50051 starts were refused or not answered.")]
    public void Every_objective_ends_the_load(int percent, int failed, double start, double pickUp, string why) =>
        Assert.Equal(why, CapacityRules.Breach(Reference, Half with { Percent = percent, Failed = failed, Starts = new(5, 20, start), PickUps = new(2, 9, pickUp) }));

    [Fact]
    public void The_verdict_is_of_what_was_held_and_not_of_the_step_that_was_not()
    {
        var full = new CapacityStep(100, 100, 99_000, 0, 990_000, 98_000, new(5, 20, 80), new(2, 9, 30));

        Assert.Equal("The targets are reached. Held: 990 starts and 9900 activities each second, 98000 open (100 % of the targets).", CapacityRules.Verdict(Reference, [Half, full], null, interrupted: false));
        Assert.Equal("Too slow. Held: 500 starts and 5000 activities each second, 50000 open (50 % of the targets).", CapacityRules.Verdict(Reference, [Half, full], "Too slow.", interrupted: false));
        Assert.StartsWith("It was interrupted. No step was held.", CapacityRules.Verdict(Reference, [Half], null, interrupted: true), StringComparison.Ordinal);
        Assert.StartsWith("The objectives were kept, and not all targets were reached.", CapacityRules.Verdict(Reference, [Half], null, interrupted: false), StringComparison.Ordinal);
        Assert.False(CapacityRules.Reached(Reference, [Half, full with { MostOpen = 90_000 }]));
    }

    [Fact]
    public void Percentiles_are_values_that_were_measured()
    {
        Assert.Equal(new Percentiles(50, 95, 99), Percentiles.Of([.. Enumerable.Range(1, 100).Select(value => (double)value).Reverse()]));
        Assert.Equal(new Percentiles(7, 7, 7), Percentiles.Of([7]));
        Assert.Null(Percentiles.Of([]));
    }

    [Fact]
    public void The_picture_has_a_bar_for_every_step_of_every_number_and_is_one_file()
    {
        var text = CapacityChart.Text(Reference, [Half]);
        Assert.Contains($"   50 %  {new string('█', 20)}{new string('░', 20)} 500", text);
        var svg = XDocument.Parse(CapacityChart.Svg("production <at> & there", Reference, [Half, Half with { Percent = 100, Started = 500_000 }]));
        Assert.Equal(6, svg.Descendants().Count(element => element.Name.LocalName == "rect" && (string?)element.Attribute("class") == "bar"));
        Assert.Contains(svg.Descendants(), element => element.Value == "production <at> & there");
    }
}

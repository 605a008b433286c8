using CsCheck;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Tests.Yaml;

public class UnitsTests
{
    private static readonly string[] QuantityUnits = ["m", "", "k", "M", "G", "Ki", "Mi", "Gi", "Ti"];

    [Theory]
    [InlineData("90s", "1m30s")]
    [InlineData("15m", "15m")]
    [InlineData("1h30m", "1h30m")]
    [InlineData("30d", "720h")]
    [InlineData("1d12h", "36h")]
    [InlineData("250ms", "250ms")]
    [InlineData("0s", "0s")]
    [InlineData("60m", "1h")]
    public void Reads_a_duration_and_gives_its_normal_form(string text, string normal)
    {
        Assert.True(Units.TryParseDuration(text, out var duration));
        Assert.Equal(normal, Units.Format(duration));
    }

    [Theory]
    [InlineData("")]
    [InlineData("15")]
    [InlineData("m")]
    [InlineData("-5m")]
    [InlineData("1.5h")]
    [InlineData("5 m")]
    [InlineData("5M")]
    [InlineData("30m1h")]
    [InlineData("1w")]
    [InlineData("99999999999999999999d")]
    [InlineData("15m\n")]
    public void Refuses_what_is_no_duration(string text) => Assert.False(Units.TryParseDuration(text, out _));

    [Theory]
    [InlineData("500m", "500m")]
    [InlineData("0.5", "500m")]
    [InlineData("1000m", "1")]
    [InlineData("2Gi", "2Gi")]
    [InlineData("2048Mi", "2Gi")]
    [InlineData("1.5Gi", "1536Mi")]
    [InlineData("1000Mi", "1000Mi")]
    [InlineData("1000k", "1M")]
    [InlineData("0", "0")]
    [InlineData("0Gi", "0")]
    [InlineData("1e", null)]
    [InlineData("2GB", null)]
    [InlineData("-1", null)]
    [InlineData("0.0001", null)]
    [InlineData("many", null)]
    [InlineData("", null)]
    public void Reads_a_quantity_and_gives_its_normal_form(string text, string? normal)
    {
        Assert.Equal(normal is not null, Units.TryNormaliseQuantity(text, out var found));
        Assert.Equal(normal ?? "", found);
    }

    [Fact]
    public void The_normal_form_of_a_duration_reads_back_as_the_same_duration() =>
        Gen.Long[0, (long)Units.MaximumDuration.TotalMilliseconds].Sample(milliseconds =>
        {
            var duration = TimeSpan.FromMilliseconds(milliseconds);
            return Units.TryParseDuration(Units.Format(duration), out var again) && again == duration;
        });

    [Fact]
    public void The_normal_form_of_a_quantity_is_its_own_normal_form() =>
        Gen.Select(Gen.Long[0, 1_000_000_000_000], Gen.Int[0, QuantityUnits.Length - 1]).Sample((number, unit) =>
            Units.TryNormaliseQuantity($"{number}{QuantityUnits[unit]}", out var once) && Units.TryNormaliseQuantity(once, out var twice) && once == twice);
}

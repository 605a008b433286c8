using System.Globalization;
using System.Text;

namespace PlatformOps.Platform.Scaling;

/// <summary>What a load has shown, as a picture: bars for every step beside the target. Pure.</summary>
public static class CapacityChart
{
    private const int Width = 40;

    /// <summary>For a terminal: a full bar is the target.</summary>
    public static IReadOnlyList<string> Text(CapacityTargets targets, IReadOnlyList<CapacityStep> steps)
    {
        var lines = new List<string>();
        foreach (var (name, target, of) in Series(targets))
        {
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"{name} (target {target:0})"));
            foreach (var step in steps)
            {
                var full = (int)Math.Round(Math.Clamp(of(step) / target, 0, 1) * Width);
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"  {step.Percent,3} %  {new string('█', full)}{new string('░', Width - full)} {of(step):0}"));
            }
        }

        lines.Add("milliseconds: 50, 95 and 99 of 100");
        lines.AddRange(steps.Select(step => $"  {step.Percent,3} %  starts {Times(step.Starts)}   activities wait {Times(step.PickUps)}"));
        return lines;
    }

    /// <summary>As a file: an SVG that needs nothing else.</summary>
    /// <param name="title">What was measured, and when.</param>
    public static string Svg(string title, CapacityTargets targets, IReadOnlyList<CapacityStep> steps)
    {
        const int Left = 70, Bar = 360, Line = 22;
        var svg = new StringBuilder();
        var y = 60;
        foreach (var (name, target, of) in Series(targets))
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"20\" y=\"{y}\" class=\"name\">{name}, target {target:0}</text>\n");
            foreach (var step in steps)
            {
                y += Line;
                var width = Math.Round(Math.Clamp(of(step) / target, 0, 1.2) * Bar, 1);
                svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{y}\" text-anchor=\"end\">{step.Percent} %</text><rect x=\"{Left}\" y=\"{y - 13}\" width=\"{width}\" height=\"16\" class=\"bar\"/><text x=\"{Left + width + 6}\" y=\"{y}\">{of(step):0}</text>\n");
            }

            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left + Bar}\" x2=\"{Left + Bar}\" y1=\"{y - (Line * steps.Count) + 6}\" y2=\"{y + 6}\" class=\"target\"/>\n");
            y += Line * 2;
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"20\" y=\"{y}\" class=\"name\">milliseconds: 50, 95 and 99 of 100</text>\n");
        foreach (var step in steps)
        {
            y += Line;
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{y}\" text-anchor=\"end\">{step.Percent} %</text><text x=\"{Left}\" y=\"{y}\">starts {Times(step.Starts)}; activities wait {Times(step.PickUps)}</text>\n");
        }

        return string.Create(CultureInfo.InvariantCulture, $$"""
            <svg xmlns="http://www.w3.org/2000/svg" width="560" height="{{y + 30}}" font-family="sans-serif" font-size="13">
            <style>.bar{fill:#3b7dd8}.target{stroke:#c0392b;stroke-dasharray:4}.name{font-weight:bold}</style>
            <rect width="100%" height="100%" fill="white"/>
            <text x="20" y="28" font-size="16">{{Escaped(title)}}</text>
            {{svg}}</svg>

            """);
    }

    private static (string Name, double Target, Func<CapacityStep, double> Of)[] Series(CapacityTargets targets) =>
    [
        ("workflow starts each second", targets.StartsPerSecond, step => step.StartsPerSecond),
        ("activities each second", targets.ActivitiesPerSecond, step => step.ActivitiesPerSecond),
        ("open workflows", targets.Open, step => step.MostOpen),
    ];

    private static string Times(Percentiles? times) => times is null ? "-" : string.Create(CultureInfo.InvariantCulture, $"{times.P50:0} / {times.P95:0} / {times.P99:0}");

    private static string Escaped(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}

using System.Text.Json.Nodes;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Catalog;

/// <summary>Binds a checked parameter declaration, and gives the shape that its values must have.</summary>
internal static class ParameterReader
{
    public static ParameterDefinition Read(string component, string name, JsonObject tree, ShapeReader reader)
    {
        var type = Enum.Parse<ParameterType>((string)tree["type"]!, ignoreCase: true);
        var allowed = tree["allowed"]!.AsArray().Select(value => (string)value!).ToList();
        var parameter = new ParameterDefinition(
            name, type, tree["default"]?.DeepClone(), (long?)tree["minimum"], (long?)tree["maximum"], allowed,
            tree["immutable"] is not null, (string?)tree["immutable"], (string)tree["summary"]!);
        var path = $"{component}.parameters.{name}";
        if (reader.Sources.TryGetValue($"{path}.default", out var given))
            parameter = parameter with { Default = reader.Read(given, ShapeOf(parameter), $"{path}.default") };
        if (BuiltInParameters.Always.Contains(name))
            reader.Report(path, $"is the name of a built-in parameter ({string.Join(", ", BuiltInParameters.Always)}); choose another");
        return parameter;
    }

    public static Shape ShapeOf(ParameterDefinition parameter)
    {
        var summary = parameter.ImmutableReason is null ? parameter.Summary : $"{parameter.Summary} Can be set once and never changed: {parameter.ImmutableReason}";
        return parameter.Type switch
        {
            ParameterType.Integer => new IntegerShape(summary, parameter.Minimum ?? long.MinValue, parameter.Maximum ?? long.MaxValue),
            ParameterType.Boolean => new BooleanShape(summary),
            ParameterType.Quantity => new QuantityShape(summary),
            ParameterType.Duration => new DurationShape(summary),
            _ => new TextShape(summary, parameter.Allowed),
        };
    }
}

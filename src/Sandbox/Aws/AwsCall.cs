using System.Globalization;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace PlatformOps.Sandbox.Aws;

/// <summary>A call of the Query protocol. A parameter that no handler asked for is one that the sandbox does not know, and is refused.</summary>
internal sealed class AwsCall
{
    private readonly Dictionary<string, string> parameters;

    private AwsCall(AwsCaller caller, Dictionary<string, string> parameters)
    {
        (Key, Region, Service, this.parameters) = (caller.Key, caller.Region, caller.Service, parameters);
        Operation = Text("Action") ?? throw new AwsFailure(400, "MissingAction", "The request must contain the parameter Action");
        Text("Version");
    }

    /// <summary>The access key that it was signed with.</summary>
    public string Key { get; }

    public string Service { get; }

    public string Region { get; }

    public string Operation { get; }

    public static async Task<AwsCall> ReadAsync(HttpRequest request, AwsCaller caller)
    {
        if (!request.HasFormContentType)
            throw new AwsFailure(501, "NotImplemented", $"The sandbox speaks the Query protocol with {caller.Service}.");
        var form = await request.ReadFormAsync(request.HttpContext.RequestAborted);
        return new(caller, form.ToDictionary(entry => entry.Key, entry => entry.Value.ToString()));
    }

    public string? Text(string name) => parameters.Remove(name, out var value) ? value : null;

    public string Required(string name) => Text(name) is { Length: > 0 } value ? value : throw new AwsFailure(400, "MissingParameter", $"The request must contain the parameter {name}");

    public int? Number(string name) => Text(name) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw AwsFailure.Invalid($"Invalid value for {name}: {text}");

    public bool? Flag(string name) => Text(name) switch
    {
        null => null,
        "true" => true,
        "false" => false,
        var text => throw AwsFailure.Invalid($"Invalid value for {name}: {text}"),
    };

    public List<string> List(string name, string element)
    {
        List<string> values = [];
        while (Text(string.Create(CultureInfo.InvariantCulture, $"{name}.{element}.{values.Count + 1}")) is { } value)
            values.Add(value);
        return values;
    }

    public Dictionary<string, string> Tags()
    {
        Dictionary<string, string> tags = [];
        while (Text(string.Create(CultureInfo.InvariantCulture, $"Tags.Tag.{tags.Count + 1}.Key")) is { } key)
            tags.Add(key, Text(string.Create(CultureInfo.InvariantCulture, $"Tags.Tag.{tags.Count + 1}.Value")) ?? "");
        return tags;
    }

    /// <summary>Called when all known parameters were read and before anything is changed.</summary>
    public void NothingElse()
    {
        if (parameters.Count > 0)
            throw AwsFailure.Invalid($"The sandbox does not know the parameter {parameters.Keys.Order(StringComparer.Ordinal).First()} of {Operation}");
    }

    public XElement Answer(params XElement[] members) => new($"{Operation}Response",
        new XElement($"{Operation}Result", members.Cast<object>().ToArray()),
        new XElement("ResponseMetadata", new XElement("RequestId", Guid.NewGuid())));
}

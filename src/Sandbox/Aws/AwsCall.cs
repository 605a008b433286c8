using System.Globalization;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace PlatformOps.Sandbox.Aws;

/// <summary>A call of the Query protocol. A parameter that no handler asked for is one that the sandbox does not know, and is refused.</summary>
internal sealed class AwsCall
{
    private readonly Dictionary<string, string> parameters;

    private AwsCall(string service, string region, Dictionary<string, string> parameters)
    {
        (Service, Region, this.parameters) = (service, region, parameters);
        Operation = Text("Action") ?? throw new AwsFailure(400, "MissingAction", "The request must contain the parameter Action");
        Text("Version");
    }

    public string Service { get; }

    public string Region { get; }

    public string Operation { get; }

    public static async Task<AwsCall> ReadAsync(HttpRequest request, string accessKey)
    {
        // AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/rds/aws4_request, SignedHeaders=..., Signature=...
        var scope = request.Headers.Authorization.ToString().Split("Credential=", 2) is ["AWS4-HMAC-SHA256 ", var rest] ? rest.Split(',')[0].Split('/') : [];
        if (scope is not [var key, _, var region, var service, "aws4_request"])
            throw new AwsFailure(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
        if (key != accessKey)
            throw new AwsFailure(403, "InvalidClientTokenId", "The security token included in the request is invalid");
        if (!request.HasFormContentType)
            throw new AwsFailure(501, "NotImplemented", $"The sandbox speaks the Query protocol only, not that of {service}.");
        var form = await request.ReadFormAsync(request.HttpContext.RequestAborted);
        return new(service, region, form.ToDictionary(entry => entry.Key, entry => entry.Value.ToString()));
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

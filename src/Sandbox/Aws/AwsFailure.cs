using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws;

/// <summary>A call is answered with an error, in the form that the Query protocol uses.</summary>
internal sealed class AwsFailure(int status, string code, string message) : Exception(message)
{
    public int Status => status;

    /// <summary>As S3 says it.</summary>
    public XElement ToBareXml() => new("Error", new XElement("Code", code), new XElement("Message", Message), new XElement("RequestId", Guid.NewGuid()));

    public XElement ToXml() => new("ErrorResponse",
        new XElement("Error", new XElement("Type", status >= 500 ? "Receiver" : "Sender"), new XElement("Code", code), new XElement("Message", Message)),
        new XElement("RequestId", Guid.NewGuid()));

    public static AwsFailure InvalidAction(AwsCall call) => new(400, "InvalidAction", $"Could not find operation {call.Operation} of {call.Service}");

    public static AwsFailure Invalid(string message) => new(400, "InvalidParameterValue", message);

    public static AwsFailure Combination(string message) => new(400, "InvalidParameterCombination", message);

    /// <summary>What a fault asks for.</summary>
    public static AwsFailure Injected(int status) => status switch
    {
        // Throttling of the Query protocol is a 400.
        429 => new(400, "Throttling", "Rate exceeded"),
        403 => new(403, "AccessDenied", "The sandbox was told to forbid this call"),
        401 => new(403, "InvalidClientTokenId", "The security token included in the request is invalid"),
        >= 500 => new(status, "ServiceUnavailable", "The sandbox was told to fail this call"),
        _ => new(status, "InternalFailure", "The sandbox was told to fail this call"),
    };
}

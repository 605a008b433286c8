using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws;

/// <summary>What is answered: XML, or the bytes of an object.</summary>
/// <param name="Length">Of the object, where it is only described.</param>
internal sealed record AwsAnswer(int Status = 200, XElement? Xml = null, byte[]? Body = null, long? Length = null)
{
    public Dictionary<string, string> Headers { get; init; } = [];
}

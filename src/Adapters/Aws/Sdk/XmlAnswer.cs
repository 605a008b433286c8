using System.Collections;
using System.Net;
using System.Xml;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.Runtime.Internal.Transform;

namespace PlatformOps.Adapters.Aws.Sdk;

/// <summary>Reads an answer from XML by the names of its members. Elements that we have no member for are skipped: services add some all the time.</summary>
internal sealed class XmlAnswer<TResponse> : XmlResponseUnmarshaller
    where TResponse : AmazonWebServiceResponse, new()
{
    public override AmazonWebServiceResponse Unmarshall(XmlUnmarshallerContext context)
    {
        var answer = new TResponse();
        if (Read(context) is { } root)
            // The Query protocol wraps the members once more: <CreateDBInstanceResponse><CreateDBInstanceResult>.
            Fill(answer, root.Elements().FirstOrDefault(element => element.Name.LocalName.EndsWith("Result", StringComparison.Ordinal)) ?? root);
        return answer;
    }

    public override AmazonServiceException UnmarshallException(XmlUnmarshallerContext context, Exception innerException, HttpStatusCode statusCode)
    {
        var root = Read(context);
        string? Text(string name) => root?.DescendantsAndSelf().FirstOrDefault(element => element.Name.LocalName == name)?.Value;
        // What is no XML is a page of something in between, or of a server that does not know the operation.
        var message = Text("Message") ?? Text("message") ?? $"HTTP {(int)statusCode} without an explanation";
        var type = (int)statusCode >= 500 ? ErrorType.Receiver : ErrorType.Sender;
        return new(message, innerException, type, Text("Code") ?? "", Text("RequestId") ?? "", statusCode);
    }

    private static XElement? Read(XmlUnmarshallerContext context)
    {
        try
        {
            using var reader = XmlReader.Create(context.Stream, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            return XDocument.Load(reader).Root;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    private static void Fill(object target, XElement element)
    {
        foreach (var property in Members.Of(target.GetType()))
            if (element.Elements().FirstOrDefault(child => child.Name.LocalName == property.Name) is { } found)
                property.SetValue(target, Value(property.PropertyType, found));
    }

    private static object? Value(Type type, XElement element)
    {
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(List<>))
        {
            var list = (IList)Activator.CreateInstance(type)!;
            foreach (var entry in element.Elements())
                list.Add(Value(type.GenericTypeArguments[0], entry));
            return list;
        }

        if (type == typeof(string) || type.IsValueType)
            return Members.Value(type, element.Value);
        var structure = Activator.CreateInstance(type)!;
        Fill(structure, element);
        return structure;
    }
}

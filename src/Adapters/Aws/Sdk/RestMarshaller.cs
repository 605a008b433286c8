using System.Collections;
using System.Reflection;
using System.Text;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;

namespace PlatformOps.Adapters.Aws.Sdk;

/// <summary>Where a call of the REST-XML protocol goes.</summary>
/// <param name="Path">Begins with the version; names are escaped.</param>
/// <param name="Namespace">Of the XML body; null: there is no body.</param>
internal sealed record RestCall(string Method, string Path, string? Namespace = null)
{
    public IReadOnlyDictionary<string, string?> Query { get; init; } = new Dictionary<string, string?>();
}

/// <summary>Writes a request as XML: the root is the request's class name, the elements are its properties.</summary>
internal sealed class RestMarshaller(string service, RestCall call) : IMarshaller<IRequest, AmazonWebServiceRequest>
{
    public IRequest Marshall(AmazonWebServiceRequest input)
    {
        var request = new DefaultRequest(input, service) { HttpMethod = call.Method, ResourcePath = call.Path };
        foreach (var (name, value) in call.Query)
            if (value is not null)
                request.Parameters.Add(name, value);
        request.UseQueryString = true;
        if (call.Namespace is { } space)
        {
            request.Content = Encoding.UTF8.GetBytes(Element(XNamespace.Get(space), input.GetType().Name, input).ToString(SaveOptions.DisableFormatting));
            request.Headers["Content-Type"] = "application/xml";
        }

        return request;
    }

    private static XElement Element(XNamespace space, string name, object value) => Members.Text(value) is { } text
        ? new(space + name, text)
        : new(space + name,
            from property in Members.Of(value.GetType())
            where property.GetCustomAttribute<NotInBodyAttribute>() is null
            let member = property.GetValue(value)
            where member is not null
            select member is IList list
                ? new XElement(space + property.Name, from object entry in list select Element(space, property.GetCustomAttribute<ListOfAttribute>()!.Element, entry))
                : Element(space, property.Name, member));
}

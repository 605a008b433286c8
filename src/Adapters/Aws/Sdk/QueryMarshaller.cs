using System.Collections;
using System.Globalization;
using System.Reflection;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;

namespace PlatformOps.Adapters.Aws.Sdk;

/// <summary>Writes a request as form parameters: <c>Tags.Tag.1.Key=...</c>. The operation is the request's class name, the members are its properties.</summary>
internal sealed class QueryMarshaller(string service, string version) : IMarshaller<IRequest, AmazonWebServiceRequest>
{
    public IRequest Marshall(AmazonWebServiceRequest input)
    {
        var request = new DefaultRequest(input, service) { HttpMethod = "POST", ResourcePath = "/" };
        request.Parameters.Add("Action", Operation(input));
        request.Parameters.Add("Version", version);
        AddMembers(request.Parameters, "", input);
        return request;
    }

    internal static string Operation(AmazonWebServiceRequest input) => input.GetType().Name[..^"Request".Length];

    private static void AddMembers(IDictionary<string, string> parameters, string prefix, object of)
    {
        foreach (var property in Members.Of(of.GetType()))
            if (property.GetCustomAttribute<NotInBodyAttribute>() is null && property.GetValue(of) is { } value)
                Add(parameters, prefix + property.Name, property.GetCustomAttribute<ListOfAttribute>()?.Element ?? "member", value);
    }

    private static void Add(IDictionary<string, string> parameters, string name, string element, object value)
    {
        if (Members.Text(value) is { } text)
            parameters.Add(name, text);
        else if (value is IList list)
            for (var index = 0; index < list.Count; index++)
                Add(parameters, string.Create(CultureInfo.InvariantCulture, $"{name}.{element}.{index + 1}"), element, list[index]!);
        else
            AddMembers(parameters, name + ".", value);
    }
}

using System.Reflection;
using Google.Protobuf.Reflection;
using Grpc.Core;
using PlatformOps.BootstrapServer.Protocol;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

public class DocumentedCallsTests
{
    [Fact]
    public void The_table_of_calls_in_the_documentation_is_that_of_the_code()
    {
        var page = File.ReadAllText(Path.Combine(Root(), "docs", "bootstrap-server.md"));
        var table = page.Split("<!-- calls -->")[1].Split("<!-- /calls -->")[0].Trim();
        Assert.Equal(Table(), table);
    }

    [Fact]
    public void What_the_page_about_the_command_line_says_is_answered_is()
    {
        var page = File.ReadAllText(Path.Combine(Root(), "docs", "temporal-cli.md"));
        var rows = page.Split("<!-- commands -->")[1].Split("<!-- /commands -->")[0].Split('\n').Where(r => r.StartsWith("| `", StringComparison.Ordinal)).ToList();
        Assert.True(rows.Count > 30);
        var answered = Services().SelectMany(Answered).ToHashSet();
        foreach (var cells in rows.Select(r => r.Split(" | ")).Where(c => c[2].StartsWith("yes", StringComparison.Ordinal) && c[1] != "none"))
            Assert.All(cells[1].Split(", "), call => Assert.Contains(call.Trim('`'), answered));
    }

    private static string Table() => string.Join('\n', Services().Select(s => $"**{s.FullName}**: {string.Join(", ", Answered(s).Order(StringComparer.Ordinal).Select(call => $"`{call}`"))}.\n")).Trim();

    private static IEnumerable<ServiceDescriptor> Services() =>
    [
        Temporalio.Api.WorkflowService.V1.ServiceReflection.Descriptor.Services[0],
        Temporalio.Api.OperatorService.V1.ServiceReflection.Descriptor.Services[0],
        Temporalio.Api.TestService.V1.ServiceReflection.Descriptor.Services[0],
    ];

    /// <summary>Every call of a handler class; its name says which service it belongs to, and the server refuses to start otherwise.</summary>
    private static IEnumerable<string> Answered(ServiceDescriptor service) =>
        from type in typeof(IProtocolCalls).Assembly.GetTypes()
        where type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IProtocolCalls))
        from method in type.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
        where method.GetParameters() is [_, { } second] && second.ParameterType == typeof(ServerCallContext)
        where service.FindMethodByName(method.Name)?.InputType.ClrType == method.GetParameters()[0].ParameterType
        select method.Name;

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "PlatformOps.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("No PlatformOps.sln above the tests.");
        return folder.FullName;
    }
}

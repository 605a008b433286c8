using System.Reflection;
using Google.Protobuf.Reflection;
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

    [Fact]
    public void Every_handler_answers_a_call_of_its_service()
    {
        foreach (var area in Areas())
        {
            foreach (var method in ProtocolCalls.Of(area))
                Assert.True(Services().Any(s => Answers(s, method)), $"{area.Name}.{method.Name} has the shape of a call, and no service has one of that name and message.");
        }
    }

    [Theory]
    [InlineData(typeof(Temporalio.Api.Update.V1.Acceptance))]
    [InlineData(typeof(Temporalio.Api.ErrorDetails.V1.WorkflowExecutionAlreadyStartedFailure))]
    [InlineData(typeof(Temporalio.Api.ErrorDetails.V1.MultiOperationExecutionFailure.Types.OperationStatus))]
    public void The_names_of_messages_are_those_of_the_protocol(Type type) =>
        Assert.Equal(((Google.Protobuf.IMessage)Activator.CreateInstance(type)!).Descriptor.FullName, AnyMessage.NameOf(type));

    private static string Table() => string.Join('\n', Services().Select(s => $"**{s.FullName}**: {string.Join(", ", Answered(s).Order(StringComparer.Ordinal).Select(call => $"`{call}`"))}.\n")).Trim();

    private static IEnumerable<ServiceDescriptor> Services() =>
    [
        Temporalio.Api.WorkflowService.V1.ServiceReflection.Descriptor.Services[0],
        Temporalio.Api.OperatorService.V1.ServiceReflection.Descriptor.Services[0],
        Temporalio.Api.TestService.V1.ServiceReflection.Descriptor.Services[0],
    ];

    /// <summary>Every call of a handler class; its name and message say which service it belongs to.</summary>
    private static IEnumerable<string> Answered(ServiceDescriptor service) =>
        Areas().SelectMany(ProtocolCalls.Of).Where(method => Answers(service, method)).Select(method => method.Name);

    private static bool Answers(ServiceDescriptor service, MethodInfo method) =>
        service.FindMethodByName(method.Name)?.InputType.ClrType == method.GetParameters()[0].ParameterType;

    private static IEnumerable<Type> Areas() =>
        typeof(IProtocolCalls).Assembly.GetTypes().Where(type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IProtocolCalls)));

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "PlatformOps.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("No PlatformOps.sln above the tests.");
        return folder.FullName;
    }
}

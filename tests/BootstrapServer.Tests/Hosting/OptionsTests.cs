namespace PlatformOps.BootstrapServer.Tests.Hosting;

public class OptionsTests
{
    [Fact]
    public async Task Refuses_options_that_cannot_work_and_names_every_one()
    {
        var options = new BootstrapServerOptions { Host = "somewhere", Port = 70000, DatabaseFile = "/no/such/folder/state.db", SkipTime = true, Namespaces = ["default", ""] };
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => BootstrapServerHost.StartAsync(options, TestContext.Current.CancellationToken));
        foreach (var name in new[] { "Host", "Port", "DatabaseFile", "SkipTime", "Namespaces" })
            Assert.Contains(name, refused.Message, StringComparison.Ordinal);
    }
}

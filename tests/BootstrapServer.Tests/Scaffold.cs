namespace PlatformOps.BootstrapServer.Tests;

public class Scaffold
{
    [Fact]
    public void Runs() => Assert.Equal(4, 2 + 2);
}

using PlatformOps.Platform.Scaling;

namespace PlatformOps.Platform.Tests.Scaling;

public sealed class DatabaseClassesTests
{
    [Theory]
    [InlineData("db.t4g.micro", 112)]
    [InlineData("db.t4g.small", 225)]
    [InlineData("db.t3.medium", 450)]
    [InlineData("db.m6g.large", 901)]
    [InlineData("db.r6g.large", 1802)]
    [InlineData("db.r7g.xlarge", 3604)]
    [InlineData("db.r6g.12xlarge", 5000)]
    [InlineData("db.x2g.large", null)]
    [InlineData("db.r6g.huge", null)]
    [InlineData("r6g.large", null)]
    [InlineData("db.serverless", null)]
    public void A_class_accepts_as_many_connections_as_its_memory_serves(string instanceClass, int? connections) => Assert.Equal(connections, DatabaseClasses.Connections(instanceClass));
}

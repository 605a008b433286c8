using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Tests.Provisioning;

public sealed class DataHolderTests
{
    [Theory]
    [InlineData(ResourceAddress.PostgresqlApiVersion, "Role", true)]
    [InlineData(ResourceAddress.PostgresqlApiVersion, "Database", true)]
    [InlineData(ResourceAddress.PostgresqlApiVersion, "ReplicationSlot", false)]
    [InlineData("rbac.authorization.k8s.io/v1", "Role", false)]
    [InlineData("v1", "Secret", true)]
    public void A_role_of_PostgreSQL_owns_data_and_one_of_Kubernetes_does_not(string apiVersion, string kind, bool holds) =>
        Assert.Equal(holds, DataHolders.Contains(new("us-east-1", apiVersion, kind, null, "a")));
}

using PlatformOps.Platform.Secrets;

namespace PlatformOps.Platform.Tests.Secrets;

/// <summary>Servers that a credential is for are proved one by one.</summary>
public sealed class ServerProofTests
{
    [Theory]
    [InlineData("", 2, ConsumerStanding.Unknown, "None of its pods is there to be asked.")]
    [InlineData("Accepted,Accepted", 0, ConsumerStanding.Old, "Nothing was handed out yet.")]
    [InlineData("Accepted,Accepted", 2, ConsumerStanding.Current, "db-0, db-1 let in who shows version 2.")]
    [InlineData("Accepted,Unknown", 2, ConsumerStanding.Unknown, "db-1 could not be asked.")]
    [InlineData("Accepted,Refused,Unknown", 2, ConsumerStanding.Changing, "db-1 does not let in who shows version 2: it was not told, or is behind the others.")]
    public void Every_pod_has_to_let_the_new_version_in(string said, int version, ConsumerStanding standing, string detail)
    {
        var answers = said.Split(',', StringSplitOptions.RemoveEmptyEntries).Select((word, at) => new ServerAnswer($"db-{at}", Enum.Parse<CredentialStanding>(word))).ToList();
        var server = ServerProof.Judge("StatefulSet/db", version, answers);
        Assert.Equal(("StatefulSet/db", true, true, standing), (server.Name, server.Declared, server.Server, server.Standing));
        Assert.StartsWith(detail, server.Detail, StringComparison.Ordinal);
    }

    /// <summary>Its clients may be anywhere.</summary>
    [Fact]
    public void A_server_is_nobody_who_uses_it()
    {
        var server = ServerProof.Judge("StatefulSet/db", 2, [new("db-0", CredentialStanding.Accepted)]);
        var seen = new ObservedSecret(null, new("earlier", "a", 2, CredentialStanding.Accepted), null, null, true, [server], null, DateTimeOffset.UnixEpoch, Places: ["shop/credentials"]);
        Assert.True(RotationPolicy.IsUnclaimed(seen));
        Assert.False(RotationPolicy.IsUnclaimed(seen with { Consumers = [server, new("Deployment/web", true, ConsumerStanding.Current, "")] }));
    }
}

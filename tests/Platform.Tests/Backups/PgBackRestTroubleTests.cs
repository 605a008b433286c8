using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>Words of pgBackRest 2.45, and what they mean to whoever has to mend it.</summary>
public sealed class PgBackRestTroubleTests
{
    [Theory]
    [InlineData("P00  ERROR: [049]: unable to connect to 'localhost:1': [111] Connection refused", "The bucket backups cannot be reached from us-east-1")]
    [InlineData("ERROR: [HostConnectError] unable to connect to 'localhost:1': [111] Connection refused", "The bucket backups cannot be reached from us-east-1")]
    [InlineData("ERROR: [101]: [507] Insufficient Storage", "The bucket backups has no room left.")]
    [InlineData("ERROR: [064]: unable to write to /state/main-backup.lock: [28] No space left on device", "A disk of us-east-1 is full.")]
    [InlineData("ERROR: [039]: HTTP request failed with 403 (Forbidden):\n*** Path/Query ***:\nHEAD /b/pair/archive/main", "The bucket backups refuses the credential")]
    [InlineData("ERROR: [039]: HTTP request failed with 403 (Forbidden):\n<Error><Code>RequestTimeTooSkewed</Code></Error>", "The clock of us-east-1 and that of the bucket backups are too far apart")]
    [InlineData("ERROR: [039]: HTTP request failed with 400 (Bad Request):\n<Error><Code>ExpiredToken</Code></Error>", "The credential for the bucket backups has expired.")]
    [InlineData("ERROR: [039]: HTTP request failed with 403 (Forbidden):\n<Error><Code>InvalidAccessKeyId</Code></Error>", "The bucket backups does not know the credential")]
    public void Says_what_is_wrong_and_that_nothing_is_lost(string said, string expected)
    {
        var trouble = PgBackRestTrouble.Of(said, "us-east-1", "backups");
        Assert.StartsWith(expected, trouble, StringComparison.Ordinal);
        Assert.EndsWith("Nothing is lost meanwhile: us-east-1 keeps the log until it is archived.", trouble, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_what_is_not_known_nothing_is_guessed() => Assert.Null(PgBackRestTrouble.Of("ERROR: [055]: unable to find backup set to restore", "us-east-1", "backups"));
}

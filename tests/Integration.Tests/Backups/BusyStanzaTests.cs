using Microsoft.Extensions.Time.Testing;
using PlatformOps.Guard;
using PlatformOps.Guard.Backups;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>Another pgBackRest holds the stanza, and does not let go of it.</summary>
public sealed class BusyStanzaTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("stanza-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task It_is_waited_for_and_not_forever()
    {
        var program = Path.Combine(folder, "pgbackrest");
        // As the real one ends when another one has its lock.
        await File.WriteAllTextAsync(program, "#!/bin/sh\ncase \"$*\" in *' info'*) echo '[]';; *) echo 'ERROR: [050]: unable to acquire lock'; exit 50;; esac\n", TestContext.Current.CancellationToken);
        // The server's user runs it.
        using (var open = System.Diagnostics.Process.Start("chmod", ["755", program, folder]))
            await open.WaitForExitAsync(TestContext.Current.CancellationToken);
        var secret = Path.Combine(folder, "secret");
        await File.WriteAllTextAsync(secret, "aws_access_key_id = A\naws_secret_access_key = not-a-secret\n", TestContext.Current.CancellationToken);
        var configuration = new GuardConfiguration
        {
            Node = "us-east-1",
            State = folder,
            PasswordFile = secret,
            Backup = new() { Program = program, Repository = new(Bucket: "backups", Endpoint: "s3", CredentialsFile: secret, CipherPassFile: secret) },
        };
        var (clock, user, said) = (new FakeTimeProvider(), new ServerUser(null), "");
        var making = new PgBackRest(configuration, user, new(configuration, user, clock)).MakeAsync("op", BackupMethod.Full, words => said = words, clock, TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => Task.FromResult(said.Length > 0), () => said);
        Assert.Equal("Another pgBackRest works on the stanza; waiting for it.", said);
        await Wait.UntilAsync(() =>
        {
            clock.Advance(TimeSpan.FromHours(1));
            return Task.FromResult(making.IsCompleted);
        }, () => said);
        Assert.StartsWith("Another pgBackRest has worked on the stanza main for all of the 6 hours", (await Assert.ThrowsAsync<GuardException>(() => making)).Message, StringComparison.Ordinal);
    }
}

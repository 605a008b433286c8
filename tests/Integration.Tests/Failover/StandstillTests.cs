using Microsoft.Extensions.Time.Testing;
using PlatformOps.Guard;
using PlatformOps.Guard.Postgres;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>A clone whose primary says nothing more is ended and said, so that it can be tried again; one that works is left alone.</summary>
public sealed class StandstillTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("standstill-").FullName;
    private readonly FakeTimeProvider clock = new();

    [Fact]
    public async Task A_program_that_does_nothing_any_more_is_ended_and_named()
    {
        Program("echo 'waiting for checkpoint' >&2; echo >> beats; exec sleep 1000");
        var run = Tools().TryAsync("pg_basebackup", [], TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => Beats() > 0, () => "It does not run.");
        await Wait.UntilAsync(
            () =>
            {
                clock.Advance(TimeSpan.FromSeconds(10));
                return run.IsCompleted;
            },
            () => "It still runs.");

        var failure = await Assert.ThrowsAsync<GuardException>(() => run);
        Assert.Equal("pg_basebackup did nothing for 5 minutes, and was ended: waiting for checkpoint", failure.Message);
        Assert.True(clock.GetUtcNow() - clock.Start >= StandstillWatch.Longest);
    }

    /// <param name="inAnotherProgram">It waits for a program that it has begun, as pg_rewind does for a server that ends its recovery.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_program_that_works_may_take_as_long_as_it_takes(bool inAnotherProgram)
    {
        Program($"{(inAnotherProgram ? "sh -c '" : "")}while [ ! -e stop ]; do echo >> beats; sleep 0.01; done{(inAnotherProgram ? "'" : "")}; echo done");
        var run = Tools().TryAsync("pg_basebackup", [], TestContext.Current.CancellationToken);
        for (var minutes = 0; minutes < 20; minutes++)
        {
            var before = Beats();
            await Wait.UntilAsync(() => Beats() > before, () => "It does not run.");
            clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.False(run.IsCompleted);
        await File.WriteAllTextAsync(Path.Combine(folder, "stop"), "", TestContext.Current.CancellationToken);
        Assert.Equal((0, "done\n", ""), await run);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private long Beats() => new FileInfo(Path.Combine(folder, "beats")) is { Exists: true } beats ? beats.Length : 0;

    private void Program(string script)
    {
        var file = Path.Combine(folder, "pg_basebackup");
        File.WriteAllText(file, $"#!/bin/sh\n{script}\n");
        using var mode = System.Diagnostics.Process.Start("chmod", ["0755", file]);
        mode.WaitForExit();
    }

    private ServerTools Tools()
    {
        var pair = LocalPair.Make(folder, "production", "us-east-1", "us-west-2", new(S3: new("bucket", "key", "eu-central-1")), TimeProvider.System);
        return new(pair["us-east-1"] with { Binaries = folder, Data = folder }, new ServerUser(Environment.UserName), clock);
    }
}

using System.Diagnostics;

namespace PlatformOps.NativeServer.Tests;

/// <summary>The native server, compiled once for the tests.</summary>
public sealed class PublishedServer : IAsyncLifetime
{
    private readonly string folder = Path.Combine(AppContext.BaseDirectory, "native");

    public string Executable => Path.Combine(folder, "platformops-server");

    public async ValueTask InitializeAsync()
    {
        if (!HasCompiler())
        {
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") is not "true", "There is no C compiler: install gcc and zlib1g-dev (./test does, as root on Debian).");
            throw new InvalidOperationException("There is no C compiler, which ./test ought to have installed: gcc, zlib1g-dev.");
        }
        var project = Path.Combine(Root(), "src", "NativeServer");
        using var publish = Process.Start(new ProcessStartInfo("dotnet", ["publish", project, "-c", "Release", "-o", folder, "-v", "q", "-nologo"]) { RedirectStandardOutput = true })!;
        var output = await publish.StandardOutput.ReadToEndAsync();
        await publish.WaitForExitAsync();
        Assert.True(publish.ExitCode == 0, output);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static bool HasCompiler() => new[] { "gcc", "clang" }.Any(name =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(place => File.Exists(Path.Combine(place, name))));

    private static string Root()
    {
        var place = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(place, "PlatformOps.sln")))
            place = Path.GetDirectoryName(place) ?? throw new InvalidOperationException("The tests do not stand in the repository.");
        return place;
    }
}

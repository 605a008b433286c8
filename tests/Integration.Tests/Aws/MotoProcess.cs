using System.Diagnostics;
using System.Globalization;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Integration.Tests.Aws;

/// <summary>A moto server on a free port of loopback, from the root file system that <c>make-aws-server</c> makes.</summary>
internal sealed class MotoProcess : IAsyncDisposable
{
    /// <summary>Carries out one call at a time: by itself it looks whether a condition of a write holds, and writes, while others do the same.</summary>
    private const string OneAtATime = """
        import threading
        from moto import server

        dispatch, one = server.DomainDispatcherApplication.__call__, threading.Lock()

        def serve(app, environ, start_response):
            with one:
                return dispatch(app, environ, start_response)

        server.DomainDispatcherApplication.__call__ = serve
        server.main()
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly Process process;

    private MotoProcess(Process process, Uri address) => (this.process, Address) = (process, address);

    public Uri Address { get; }

    /// <summary>Why it cannot be started here; null when it can.</summary>
    public static string? Missing => !File.Exists(Path.Combine(Root, "usr/bin/moto_server"))
        ? "There is no AWS API server here. Run ./test as root on Debian, or tests/Integration.Tests/Aws/make-aws-server, or name a server in " + MotoServer.Variable + "."
        : Environment.UserName != "root" ? "Starting the AWS API server needs root (chroot), or name a server in " + MotoServer.Variable + "." : null;

    private static string Root => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "platformops", "aws-server");

    /// <param name="freeCalls">So many calls are not checked, all later ones need a right signature and a policy that allows them; null: none is checked.</param>
    public static async Task<MotoProcess> StartAsync(int? freeCalls = null)
    {
        var port = LocalPorts.Take();
        var start = new ProcessStartInfo("bash") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // Ends with us, even when we are killed: our end of its standard input closes.
        foreach (var argument in new[] { "-c", "chroot \"$1\" /usr/bin/python3 -c \"$3\" -H 127.0.0.1 -p \"$2\" & read -r _; kill $!; wait", "moto", Root, port.ToString(CultureInfo.InvariantCulture), OneAtATime })
            start.ArgumentList.Add(argument);
        if (freeCalls is { } count)
            start.Environment["INITIAL_NO_AUTH_ACTION_COUNT"] = count.ToString(CultureInfo.InvariantCulture);
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var server = new MotoProcess(process, new Uri($"http://127.0.0.1:{port}"));
        await server.UntilReadyAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private async Task UntilReadyAsync()
    {
        using var client = new HttpClient();
        using var giveUp = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                using var answer = await client.GetAsync(new Uri(Address, "/moto-api/data.json"), giveUp.Token);
                return;
            }
            catch (HttpRequestException)
            {
                Assert.False(process.HasExited, "The AWS API server ended.");
            }

            await Task.Delay(100, giveUp.Token);
        }
    }
}

using System.Diagnostics;
using PlatformOps.Guard.Configuration;

namespace PlatformOps.Guard.Postgres;

/// <summary>Runs the programs that come with the server, as the server's user.</summary>
/// <param name="clock">By which one that stands still is found.</param>
internal sealed class ServerTools(GuardConfiguration configuration, ServerUser user, TimeProvider clock)
{
    /// <summary>For messages: what a program wrote last.</summary>
    private const int WordsKept = 600;

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="GuardException">It failed; the message says what it wrote.</exception>
    public async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken ct)
    {
        var (code, output, errors) = await TryAsync(program, arguments, ct);
        return code == 0 ? output : throw new GuardException($"{program} ended with {code}: {Last(errors.Length > 0 ? errors : output)}");
    }

    /// <summary>Runs a program to its end, however that is. It stands in the data directory, so that one that outlives its guard is found as the servers are.</summary>
    /// <exception cref="GuardException">It stood still, and was ended.</exception>
    public Task<(int Code, string Output, string Errors)> TryAsync(string program, IReadOnlyList<string> arguments, CancellationToken ct) =>
        TryAsync(program, arguments, configuration.Data, new Dictionary<string, string>(), watched: true, ct);

    /// <summary>Runs a program that has timeouts of its own, or waits for a server's answer as long as that takes.</summary>
    /// <param name="folder">Where it stands.</param>
    /// <param name="environment">Variables that it gets besides.</param>
    public Task<(int Code, string Output, string Errors)> TryAsync(string program, IReadOnlyList<string> arguments, string folder, IReadOnlyDictionary<string, string> environment, CancellationToken ct) =>
        TryAsync(program, arguments, folder, environment, watched: false, ct);

    private async Task<(int Code, string Output, string Errors)> TryAsync(
        string program, IReadOnlyList<string> arguments, string folder, IReadOnlyDictionary<string, string> environment, bool watched, CancellationToken ct)
    {
        using var process = Start(program, arguments, folder, environment);
        using var ended = ct.Register(process.Kill);
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        using var done = new CancellationTokenSource();
        var still = watched ? StandstillWatch.UntilStillAsync(process.Id, clock, done.Token) : Task.FromResult(false);
        var exit = process.WaitForExitAsync(CancellationToken.None);
        var stands = watched && await Task.WhenAny(exit, still) == still && await still;
        if (stands)
            process.Kill();
        await exit;
        await done.CancelAsync();
        var result = (process.ExitCode, await output, (await errors).Trim());
        ct.ThrowIfCancellationRequested();
        return stands
            ? throw new GuardException($"{program} did nothing for {StandstillWatch.Longest.TotalMinutes:0} minutes, and was ended: {Last(result.Item3 is { Length: > 0 } said ? said : "it said nothing")}")
            : result;
    }

    /// <summary>Runs a program and gives what it writes line by line; how it ends is not asked.</summary>
    public Task ReadLinesAsync(string program, IReadOnlyList<string> arguments, Action<string> line, CancellationToken ct) => ReadLinesAsync(program, arguments, new Dictionary<string, string>(), line, ct);

    /// <returns>What it ended with.</returns>
    public async Task<int> ReadLinesAsync(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, Action<string> line, CancellationToken ct)
    {
        using var process = Start(program, arguments, "/", environment);
        using var ended = ct.Register(process.Kill);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        while (await process.StandardOutput.ReadLineAsync(ct) is { } read)
            line(read);
        await process.WaitForExitAsync(ct);
        await errors;
        return process.ExitCode;
    }

    private Process Start(string program, IReadOnlyList<string> arguments, string folder, IReadOnlyDictionary<string, string> environment)
    {
        var command = user.Run([Path.Combine(configuration.Binaries, program), .. arguments]);
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = folder };
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["PGCONNECT_TIMEOUT"] = "5";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    private static string Last(string text) => text.Length <= WordsKept ? text : "..." + text[^WordsKept..];
}

using System.Diagnostics;
using System.Globalization;

namespace PlatformOps.Adapters.Etcd;

/// <summary>The programs of etcd on a machine.</summary>
/// <param name="Restorer"><c>etcdutl</c>, or <c>etcdctl</c> of before 3.6.</param>
public sealed record EtcdPrograms(string Server, string Restorer)
{
    /// <summary>Those of the first folders that have them; null: one is missing.</summary>
    /// <param name="path">Folders as <c>PATH</c> names them.</param>
    public static EtcdPrograms? Find(string? path) =>
        In(path, "etcd") is { } server && (In(path, "etcdutl") ?? In(path, "etcdctl")) is { } restorer ? new(server, restorer) : null;

    private static string? In(string? path, string program) => (path ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}

/// <summary>An etcd on this machine that is restored from a snapshot to be looked at. It listens on sockets in a folder that only we can open, since it has every Secret of a cluster; the folder goes with it.</summary>
public sealed class ScratchEtcd : IDisposable
{
    private const string Prefix = "platformops-etcd-", OwnerFile = "owner", ProcessFile = "process", ClientSocket = "client:0", PeerSocket = "peer:0";

    /// <summary>How long an etcd may take that reads everything it has.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5), Look = TimeSpan.FromMilliseconds(100);

    private readonly EtcdPrograms programs;
    private readonly TimeProvider time;
    private Process? server;

    /// <param name="owner">Whose it is; what an earlier one of the same owner left on this machine is removed.</param>
    public ScratchEtcd(EtcdPrograms programs, string owner, TimeProvider time)
    {
        (this.programs, this.time) = (programs, time);
        Sweep(owner);
        Folder = Directory.CreateTempSubdirectory(Prefix).FullName;
        File.WriteAllText(Path.Combine(Folder, OwnerFile), owner);
    }

    /// <summary>Only we can open it.</summary>
    public string Folder { get; }

    /// <summary>Where the snapshot has to be put.</summary>
    public string Snapshot => Path.Combine(Folder, "snapshot.db");

    /// <summary>Ends and removes what a process of ours left that was killed.</summary>
    /// <returns>Whether there was something.</returns>
    public static bool Sweep(string owner)
    {
        var left = Directory.GetDirectories(Path.GetTempPath(), Prefix + "*").Where(folder => Read(Path.Combine(folder, OwnerFile)) == owner).ToList();
        foreach (var folder in left)
        {
            if (int.TryParse(Read(Path.Combine(folder, ProcessFile)), CultureInfo.InvariantCulture, out var id))
                End(id, folder);
            Directory.Delete(folder, recursive: true);
        }

        return left.Count > 0;
    }

    /// <summary>The version of the programs; empty: they do not say.</summary>
    public async Task<string> VersionAsync(CancellationToken ct) => (await RunAsync(programs.Server, ["--version"], ct)).Output is var said && said.IndexOf("Version: ", StringComparison.Ordinal) is >= 0 and var at
        ? said[(at + "Version: ".Length)..].Split('\n')[0].Trim() : "";

    /// <summary>Makes a data directory of the snapshot, which checks its checksum.</summary>
    /// <returns>Why it could not; null: it did.</returns>
    public async Task<string?> RestoreAsync(CancellationToken ct)
    {
        var (code, output) = await RunAsync(
            programs.Restorer,
            ["snapshot", "restore", Snapshot, "--data-dir", "data", "--name", "proof", "--initial-cluster", $"proof=unix://{PeerSocket}", "--initial-advertise-peer-urls", $"unix://{PeerSocket}"], ct);
        return code == 0 ? null : $"{Path.GetFileName(programs.Restorer)} snapshot restore ended with {code}: {Last(output)}";
    }

    /// <summary>Starts it, and counts.</summary>
    /// <param name="revision">At which to count keys.</param>
    /// <returns>Where it is and how many keys it has; or why it did not start.</returns>
    public async Task<(long Revision, long Keys, string? Trouble)> CountAsync(long revision, Action waiting, CancellationToken ct)
    {
        var start = Start(programs.Server, ["--data-dir", "data", "--name", "proof", "--listen-client-urls", $"unix://{ClientSocket}", "--advertise-client-urls", $"unix://{ClientSocket}", "--listen-peer-urls", $"unix://{PeerSocket}"]);
        server = Process.Start(start)!;
        await File.WriteAllTextAsync(Path.Combine(Folder, ProcessFile), $"{server.Id}", ct);
        var output = ReadAsync(server);
        using var patience = new CancellationTokenSource(Patience, time);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        using var member = EtcdMember.Open(Path.Combine(Folder, ClientSocket));
        try
        {
            while (true)
            {
                if (server.HasExited)
                    return (0, 0, $"etcd ended with {server.ExitCode}: {Last(await output)}");
                try
                {
                    var (newest, keys) = await member.CountAsync(revision, late.Token);
                    return (newest, keys, null);
                }
                // It is starting.
                catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
                {
                    waiting();
                    await Task.Delay(Look, time, late.Token);
                }
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return (0, 0, $"etcd did not answer within {Patience.TotalMinutes:0} minutes.");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (server is { HasExited: false })
        {
            server.Kill();
            server.WaitForExit();
        }

        server?.Dispose();
        if (Directory.Exists(Folder))
            Directory.Delete(Folder, recursive: true);
    }

    private async Task<(int Code, string Output)> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken ct)
    {
        using var process = Process.Start(Start(program, arguments))!;
        using var ended = ct.Register(process.Kill);
        var output = await ReadAsync(process);
        await process.WaitForExitAsync(CancellationToken.None);
        ct.ThrowIfCancellationRequested();
        return (process.ExitCode, output);
    }

    private ProcessStartInfo Start(string program, IReadOnlyList<string> arguments) => new(program, arguments)
    {
        WorkingDirectory = Folder,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        // etcdctl of 3.4 and before would speak another language.
        Environment = { ["ETCDCTL_API"] = "3" },
    };

    private static async Task<string> ReadAsync(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        return $"{await output}\n{await errors}";
    }

    private static string Last(string output) => output.Trim() is { Length: > 0 } said ? said[Math.Max(0, said.Length - 400)..] : "it said nothing.";

    private static string? Read(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // None of ours.
            return null;
        }
    }

    /// <summary>Ids are given again: it is ended only when it stands in the folder.</summary>
    private static void End(int id, string folder)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            if (new FileInfo($"/proc/{id}/cwd").LinkTarget != folder)
                return;
            process.Kill();
            process.WaitForExit();
        }
        catch (ArgumentException)
        {
            // It has ended.
        }
    }
}

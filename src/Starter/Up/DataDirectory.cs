using System.Diagnostics;
using System.Globalization;
using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Up;

/// <summary>
/// The state of <c>up</c> on disk, held by one process at a time:
/// <list type="bullet">
/// <item><c>lock</c>, <c>holder</c>: who uses it; <c>running.json</c>: how to reach it;</item>
/// <item><c>bootstrap/ENVIRONMENT.db</c>: the runs; <c>sandbox/ENVIRONMENT/</c>: the world, per region its cluster and its Temporal;</item>
/// <item><c>connections.json</c>, <c>REGION.kubeconfig</c>, <c>REGION.vault-token</c>: how the world is reached while it runs.</item>
/// </list>
/// </summary>
internal sealed class DataDirectory : IDisposable
{
    private const string LockName = "lock", HolderName = "holder", ExternalTokenName = "external.token", AwsCredentialsName = "aws-credentials", BackupKeyName = "backup.key";

    private readonly FileStream held;

    private DataDirectory(string path, FileStream held) => (Path, this.held) = (path, held);

    /// <summary>Absolute.</summary>
    public string Path { get; }

    public string Connections => ConnectionsOf(Path);

    /// <summary>The runs of an environment. An open run of another environment must not be carried out in this one's world.</summary>
    public string Runs(string environment) => System.IO.Path.Combine(Folder("bootstrap"), $"{environment}.db");

    public string Kubeconfig(string region) => System.IO.Path.Combine(Path, $"{region}.kubeconfig");

    /// <summary>Where the credential of the external services stands.</summary>
    public string ExternalToken => System.IO.Path.Combine(Path, ExternalTokenName);

    /// <summary>Where the credentials of the sandbox's AWS stand.</summary>
    public string AwsCredentials => System.IO.Path.Combine(Path, AwsCredentialsName);

    /// <summary>Where the key stands that backups of the evaluation are encrypted with.</summary>
    public string BackupKey => System.IO.Path.Combine(Path, BackupKeyName);

    /// <summary>The token of the sandbox's Vault in a region.</summary>
    public string VaultToken(string region) => System.IO.Path.Combine(Path, $"{region}.vault-token");

    /// <summary>Where the sandbox keeps the world of an environment. Environments do not share clusters.</summary>
    public string World(string environment) => Folder("sandbox", environment);

    public static string ConnectionsOf(string data) => System.IO.Path.Combine(data, "connections.json");

    /// <summary>Creates the directory where needed and takes it for this process.</summary>
    /// <exception cref="CommandFailure">Another process has it.</exception>
    public static DataDirectory Take(string path)
    {
        // The kubeconfigs in it hold tokens.
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var held = Lock(path);
        using var self = Process.GetCurrentProcess();
        File.WriteAllText(
            System.IO.Path.Combine(path, HolderName),
            string.Create(CultureInfo.InvariantCulture, $"process {self.Id}, started {self.StartTime.ToUniversalTime():yyyy-MM-dd HH:mm:ss} UTC"));
        return new DataDirectory(path, held);
    }

    /// <summary>Forgets everything: the runs and every world.</summary>
    public void Reset()
    {
        foreach (var entry in new DirectoryInfo(Path).EnumerateFileSystemInfos())
        {
            switch (entry)
            {
                case FileInfo { Name: LockName or HolderName }:
                    break;
                case DirectoryInfo { LinkTarget: null } folder when folder.Name is "bootstrap" or "sandbox":
                    folder.Delete(recursive: true);
                    break;
                // Only what is ours: a directory named by mistake keeps the rest.
                case FileInfo file when file.Name is "running.json" or "connections.json" or ExternalTokenName or AwsCredentialsName or BackupKeyName || file.Extension is ".kubeconfig" or ".vault-token":
                    file.Delete();
                    break;
            }
        }
    }

    /// <summary>Those of an earlier start lead to what may no longer be there.</summary>
    public void ForgetKubeconfigs()
    {
        foreach (var file in Directory.EnumerateFiles(Path, "*.kubeconfig"))
            File.Delete(file);
    }

    /// <summary>Writes a file that only its owner may read.</summary>
    public static void WriteSecret(string file, string text)
    {
        File.Delete(file);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(file, options);
        writer.Write(text);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        File.Delete(System.IO.Path.Combine(Path, HolderName));
        held.Dispose();
    }

    private static FileStream Lock(string path)
    {
        var file = System.IO.Path.Combine(path, LockName);
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure) when (File.Exists(file) && failure is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException))
        {
            throw new CommandFailure(
                ExitCode.Busy, $"The data directory {path} is in use.", $"It belongs to {Holder(path)}.",
                "Use what runs there (platformops status ENVIRONMENT), end it with Ctrl-C, or choose another directory with --data DIR.", failure);
        }
    }

    private static string Holder(string path)
    {
        try
        {
            return File.ReadAllText(System.IO.Path.Combine(path, HolderName));
        }
        catch (IOException)
        {
            // It has just begun or just ended.
            return "another process";
        }
    }

    private string Folder(params string[] parts) =>
        Directory.CreateDirectory(System.IO.Path.Combine([Path, .. parts])).FullName;
}

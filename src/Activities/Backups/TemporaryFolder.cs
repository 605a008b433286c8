namespace PlatformOps.Activities.Backups;

/// <summary>A folder for what is on its way between a store and the repository; it holds only what is encrypted, and goes when it is disposed.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("platformops-backup-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

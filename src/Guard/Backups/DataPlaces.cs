using Microsoft.Win32.SafeHandles;

namespace PlatformOps.Guard.Backups;

/// <summary>The data directory of a node, what was restored beside it, and what it replaced. Each move is one rename; which of the three are there says how far an exchange has come, so that whoever was
/// killed in the middle goes on, forward or back.</summary>
/// <param name="data">The node's data directory.</param>
/// <param name="operation">Whose restore it is.</param>
internal sealed class DataPlaces(string data, string operation)
{
    /// <summary>Where a restore puts what is to take the place of a node's data.</summary>
    public static string RestoredOf(string data) => data + ".restored";

    public string Restored => RestoredOf(data);

    /// <summary>Where the replaced data is kept.</summary>
    public string Kept => $"{data}.before-{operation}";

    /// <summary>The restored data is in its place.</summary>
    public bool Placed => Directory.Exists(Kept) && Directory.Exists(data) && !Directory.Exists(Restored);

    /// <summary>Puts the restored data in its place.</summary>
    /// <exception cref="GuardException">There is none, or it cannot be moved.</exception>
    public void Place()
    {
        if (Placed)
            return;
        if (!Directory.Exists(Restored))
            throw new GuardException($"{Restored} is not there: nothing was restored by {operation}, or somebody removed it.") { Refused = true };
        if (!Directory.Exists(Kept))
        {
            Directory.CreateDirectory(data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Move(data, Kept);
        }

        Move(Restored, data);
    }

    /// <summary>Puts the replaced data back. When nothing was replaced, nothing is done.</summary>
    /// <exception cref="GuardException">It cannot be moved.</exception>
    public void PutBack()
    {
        if (!Directory.Exists(Kept))
            return;
        if (Directory.Exists(data))
            Move(data, Restored);
        Move(Kept, data);
    }

    private static void Move(string from, string to)
    {
        try
        {
            Directory.Move(from, to);
            // The names are on disk when the directory is.
            using SafeFileHandle folder = Posix.OpenDirectory(Path.GetDirectoryName(to)!);
            RandomAccess.FlushToDisk(folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new GuardException($"{from} cannot be renamed to {to}: {failure.Message} Both stay as they are; let the guard's user write into {Path.GetDirectoryName(to)}, then try again.", failure);
        }
    }
}

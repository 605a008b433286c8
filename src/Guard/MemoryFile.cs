using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Win32.SafeHandles;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Guard;

/// <summary>Keeps what the guard remembers in a file: whole or not at all, and on disk when <see cref="Change"/> returns. One guard at a time holds it.</summary>
public sealed class MemoryFile : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly string file;
    private readonly FileStream held;
    private readonly Lock gate = new();
    private GuardMemory memory;

    private MemoryFile(string file, FileStream held, GuardMemory memory) => (this.file, this.held, this.memory) = (file, held, memory);

    /// <summary>What is on disk.</summary>
    public GuardMemory Memory => Volatile.Read(ref memory);

    /// <summary>Opens it in the guard's state directory, which is made when it is not there.</summary>
    /// <exception cref="GuardException">Another guard runs on it, or it cannot be read.</exception>
    public static MemoryFile Open(string folder)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var file = Path.Combine(folder, "guard.json");
        FileStream held;
        try
        {
            held = new(Path.Combine(folder, "guard.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure)
        {
            throw new GuardException($"Another guard runs with the state in {folder}. End it first, or give this one a state directory of its own.", failure);
        }

        try
        {
            return new(file, held, File.Exists(file) ? JsonSerializer.Deserialize<GuardMemory>(File.ReadAllText(file), Json)! : new());
        }
        catch (JsonException failure)
        {
            held.Dispose();
            // A guard that forgot its epoch could let an old one pass.
            throw new GuardException($"{file} cannot be understood ({failure.Message}). Restore it, or make a standby of this node anew with an empty state directory.", failure);
        }
    }

    /// <summary>Changes what is remembered; returns when it is on disk.</summary>
    public GuardMemory Change(Func<GuardMemory, GuardMemory> change)
    {
        lock (gate)
        {
            var next = change(memory);
            if (next == memory)
                return next;
            Write(next);
            Volatile.Write(ref memory, next);
            return next;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => held.Dispose();

    private void Write(GuardMemory next)
    {
        var draft = file + ".new";
        using (var stream = new FileStream(draft, FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(stream, next, Json);
            stream.Flush(flushToDisk: true);
        }

        File.Move(draft, file, overwrite: true);
        // The name is on disk when the directory is.
        using SafeFileHandle folder = Posix.OpenDirectory(Path.GetDirectoryName(file)!);
        RandomAccess.FlushToDisk(folder);
    }
}

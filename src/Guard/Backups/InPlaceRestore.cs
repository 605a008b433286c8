using System.Text.Json;
using Microsoft.Extensions.Logging;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Failover;
using PlatformOps.Guard.Postgres;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Guard.Backups;

/// <summary>Replaces the node's data by a set: restored and proved beside it while the node serves, secured and exchanged while it is fenced, and opened by a promotion. Until then the old data can be put back.</summary>
internal sealed class InPlaceRestore(GuardParts parts)
{
    private static readonly TimeSpan SqlPatience = TimeSpan.FromSeconds(30);

    private readonly BackupCopy staged = new(parts, Folder(parts), DataPlaces.RestoredOf(parts.Configuration.Data), replaces: true);

    /// <summary>What the server that is replaced said of its logins.</summary>
    private string LoginsFile => Path.Combine(Folder(parts), "logins.json");

    /// <summary>What was staged knows the logins and the epoch of today.</summary>
    private string SecuredFile => Path.Combine(Folder(parts), "secured");

    /// <summary>What is in the place of the node's data.</summary>
    public NodePlace Look(BackupOrder order)
    {
        var data = parts.Configuration.Data;
        var bytes = File.Exists(parts.Server.Data.In("PG_VERSION"))
            ? new DirectoryInfo(data).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint }).Sum(Length) : 0;
        var mounted = File.ReadLines("/proc/self/mountinfo").Any(line => line.Split(' ') is { Length: > 4 } fields && fields[4] == data);
        return new(bytes, new DriveInfo(Path.GetDirectoryName(data)!).AvailableFreeSpace, mounted, staged.Operation, Directory.Exists(Places(order.Operation).Kept));
    }

    /// <summary>Restores beside the node's data.</summary>
    public Task<RestoredCopy> StageAsync(BackupOrder order, PgBackRest tool, Action<string> progress, CancellationToken ct) => Directory.Exists(Places(order.Operation).Kept)
        ? throw new GuardException($"What {order.Operation} restored has taken the place of the data of {parts.Configuration.Node} already.") { Refused = true }
        : staged.RestoreAsync(order, tool, progress, ct);

    /// <summary>Reads what was staged, and keeps what the server that is replaced says of its logins.</summary>
    public async Task<CopyFindings> ProveAsync(BackupOrder order, Action<string> progress, CancellationToken ct)
    {
        var found = await staged.ProbeAsync(order, progress, ct);
        if (parts.Server.Ready && await parts.SlowSql.RunAsync(RestoredLogins.Read, SqlPatience, ct) is string logins)
            parts.Settings.WriteFile(LoginsFile, logins);
        return found;
    }

    /// <summary>Nothing that was staged brings a login back that is not valid today, or an epoch that is over.</summary>
    public async Task<SecuredLogins> SecureAsync(BackupOrder order, CancellationToken ct)
    {
        Require(order.Operation);
        if (parts.Gate.IsOpen)
            throw new GuardException($"{parts.Configuration.Node} serves: who may log in may change until it is fenced.") { Refused = true };
        var known = File.Exists(LoginsFile) ? JsonSerializer.Deserialize<IReadOnlyList<RoleOfServer>>(await File.ReadAllTextAsync(LoginsFile, ct), GuardWire.Json)! : null;
        var secured = await staged.InAsync(async sql =>
        {
            var there = JsonSerializer.Deserialize<IReadOnlyList<RoleOfServer>>($"{await sql.RunAsync(RestoredLogins.Read, SqlPatience, ct)}", GuardWire.Json)!;
            var (statements, told) = RestoredLogins.Decide(there, known, order.Logins);
            foreach (var role in new[] { ServerRoles.Guard, ServerRoles.Replication })
                statements = [.. statements, new("ALTER ROLE %I PASSWORD %L", [role, ServerRoles.PasswordOf(role, parts.Configuration.PasswordFile).Reveal()])];
            // Verifiers belong into no log.
            var text = "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic'; BEGIN;";
            foreach (var (form, arguments) in statements)
                text += $" {await sql.RunAsync("SELECT format($1, VARIADIC $2::text[])", SqlPatience, ct, form, arguments)};";
            await sql.RunAsync($"{text} COMMIT", SqlPatience, ct);
            if (await sql.RunAsync(ServerStatements.WriteEpoch, SqlPatience, ct, order.Epoch, parts.Configuration.Node) is null)
                throw new GuardException($"The restored data has seen a higher epoch than {order.Epoch}: it is of another pair, or the witness was restored from a copy.") { Refused = true };
            return told;
        }, ct);
        parts.Settings.WriteFile(SecuredFile, order.Operation);
        return secured;
    }

    /// <summary>The restored data takes the place of the node's own. The node is fenced, and stays so.</summary>
    public async Task PlaceAsync(string operation, CancellationToken ct)
    {
        var places = Places(operation);
        if (places.Placed)
            return;
        Require(operation);
        if (parts.Memory.Memory.Fence is null || parts.Server.Running)
            throw new GuardException($"{parts.Configuration.Node} is not fenced: its data is in use. Fence it first.") { Refused = true };
        if (!File.Exists(SecuredFile))
            throw new GuardException($"What {operation} restored has not been secured: old logins would be valid again. Order secure first.") { Refused = true };
        parts.Memory.Change(memory => memory with { Restoring = operation });
        await staged.EndAsync(ct);
        places.Place();
        parts.Log.LogWarning("The data of {Operation} is in its place; the old is kept in {Kept}", operation, places.Kept);
    }

    /// <summary>The old data is in its place again. Refused once the restored data was opened.</summary>
    public void PutBack(string operation)
    {
        if (parts.Memory.Memory.Restoring is not { } restoring)
        {
            if (Directory.Exists(Places(operation).Kept))
                throw new GuardException($"What {operation} restored was opened: there is no way back. Restore what was backed up before it instead.") { Refused = true };
            return;
        }

        if (restoring != operation)
            throw new GuardException($"{restoring} has put restored data into the place of that of {parts.Configuration.Node}, not {operation}.") { Refused = true };
        Places(operation).PutBack();
        parts.Memory.Change(memory => memory with { Restoring = null });
        parts.Log.LogWarning("The old data is in its place again");
    }

    /// <summary>A promotion opens restored data only when it is whole in its place.</summary>
    /// <exception cref="GuardException">It is not.</exception>
    public static void RequireWhole(GuardParts parts)
    {
        if (parts.Memory.Memory.Restoring is { } operation && !new DataPlaces(parts.Configuration.Data, operation).Placed)
            throw new GuardException($"{parts.Configuration.Node} cannot be promoted: the data of {operation} is half in its place. Place it, or put the old back.") { Refused = true };
    }

    /// <summary>Removes what was staged, and what was replaced.</summary>
    /// <returns>What was there, and what stays.</returns>
    public async Task<IReadOnlyList<string>> DiscardAsync(BackupOrder order, CancellationToken ct)
    {
        if (parts.Memory.Memory.Restoring is { } restoring)
            throw new GuardException($"What {restoring} restored is in the place of the data and was not opened: open it, or put the old back first.") { Refused = true };
        // What another operation restores is its own.
        var told = new List<string>(staged.Operation is null || staged.Operation == order.Operation ? await staged.RemoveAsync(ct) : []);
        var kept = Places(order.Operation).Kept;
        if (!Directory.Exists(kept))
            return told;
        if (order.KeepOld)
            return [.. told, $"the old data, which stays in {kept}"];
        Directory.Delete(kept, recursive: true);
        return [.. told, "the old data"];
    }

    private static string Folder(GuardParts parts) => Path.Combine(parts.Configuration.State, "r");

    private static long Length(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            // A server at work removes files.
            return 0;
        }
    }

    private DataPlaces Places(string operation) => new(parts.Configuration.Data, operation);

    private void Require(string operation)
    {
        if (staged.Operation != operation)
            throw new GuardException($"{operation} has restored nothing beside the data of {parts.Configuration.Node}{(staged.Operation is { } other ? $"; {other} has" : "")}.") { Refused = true };
    }
}

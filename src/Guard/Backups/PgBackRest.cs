using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using PlatformOps.Adapters.Backups;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Guard.Backups;

/// <summary>pgBackRest as the guard uses it: its configuration, its commands, and what it answers.</summary>
internal sealed partial class PgBackRest(GuardConfiguration configuration, ServerUser user, ServerTools tools)
{
    /// <summary>What it ends with when another one of it holds the stanza.</summary>
    private const int Locked = 50;

    /// <summary>What it ends with because of what lies in the repository: a wrong checksum, a file or format that is not one, a missing file, a set that is none, a wrong pass phrase.</summary>
    private static readonly int[] Damages = [26, 28, 29, 55, 75, 95];

    /// <summary>How long another one is waited for: as long as a backup may take by default (<c>within</c> of the runbook).</summary>
    private static readonly TimeSpan BusyAtMost = TimeSpan.FromHours(6);

    /// <summary>More would take more of the machine from the server than the wait for the object store is worth.</summary>
    private const int ManifestsAtOnce = 4;

    /// <summary>What <c>info</c> says of a repository that it could not read. It ends as if there were no sets.</summary>
    private const int Unread = 99;

    private static readonly Lock Writing = new();

    private readonly BackupSettings settings = configuration.Backup ?? throw new InvalidOperationException("The node has no backups.");

    /// <summary>Its configuration, with the secrets in it, for the server's user alone.</summary>
    public static string ConfigurationFile(GuardConfiguration configuration) => Path.Combine(configuration.State, "pgbackrest.conf");

    /// <summary>What the server archives its log with.</summary>
    public static string ArchiveCommand(GuardConfiguration configuration) =>
        $"\"{configuration.Backup!.Program}\" --config=\"{ConfigurationFile(configuration)}\" --stanza={configuration.Backup.Stanza} archive-push \"%p\"";

    /// <summary>Its configuration. The secrets are read anew each time: keys are rotated.</summary>
    /// <exception cref="GuardException">A file with a secret cannot be read, or holds none.</exception>
    public static string Write(GuardConfiguration configuration)
    {
        var (settings, repository) = (configuration.Backup!, configuration.Backup!.Repository);
        var (key, secret) = Keys(repository.CredentialsFile);
        var endpoint = repository.Endpoint.Split(':');
        return $"""
            # Written by platformops guard.
            [global]
            repo1-type=s3
            repo1-path={repository.Path}
            repo1-s3-bucket={repository.Bucket}
            repo1-s3-region={repository.Region}
            repo1-s3-endpoint={endpoint[0]}
            repo1-s3-uri-style={(repository.PathStyle ? "path" : "host")}
            repo1-s3-key={key}
            repo1-s3-key-secret={secret}
            {(endpoint.Length > 1 ? $"repo1-storage-port={endpoint[1]}" : "")}
            {(repository.Authority is { } authority ? $"repo1-storage-ca-file={authority}" : "")}
            repo1-bundle=y
            repo1-cipher-type=aes-256-cbc
            repo1-cipher-pass={Text(repository.CipherPassFile)}
            # What goes is decided elsewhere.
            repo1-retention-full=9999999
            compress-type=zst
            start-fast=y
            io-timeout={settings.StoreTimeoutSeconds.ToString(CultureInfo.InvariantCulture)}
            process-max={settings.Processes.ToString(CultureInfo.InvariantCulture)}
            lock-path={Path.Combine(configuration.State, "pgbackrest.lock")}
            log-level-file=off
            log-level-console=warn
            log-level-stderr=off

            [{settings.Stanza}]
            pg1-path={configuration.Data}
            pg1-port=5432
            pg1-socket-path={configuration.SocketDirectory}
            pg1-user={ServerRoles.Guard}

            """;
    }

    /// <summary>Makes the stanza where there is none. Of one that is there it changes nothing.</summary>
    /// <param name="busy">Waits for whoever works on it, also on a piece of the log that is being archived; null: that is a failure like others.</param>
    public async Task EnsureStanzaAsync(CancellationToken ct, Func<Task>? busy = null)
    {
        // It asks first for what has no words in the answer: whoever reads its failure would not know why.
        await CheckAsync(ct);
        while (true)
        {
            var (code, said) = await TryAsync(["stanza-create"], _ => { }, ct);
            if (code == 0)
                return;
            if (code != Locked || busy is null)
                throw Failed("stanza-create", code, said);
            await busy();
        }
    }

    /// <summary>Whether it can work.</summary>
    /// <exception cref="GuardException">It cannot; the message says why and what to do.</exception>
    public async Task CheckAsync(CancellationToken ct) => await RequireOwnAsync((await RepositoryAsync(ct)).System, ct);

    /// <summary>Makes a set that carries the operation, or waits for the one that is being made, or finds it.</summary>
    public async Task<StoredBackup> MakeAsync(string operation, BackupMethod method, Action<string> progress, TimeProvider clock, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        var (sets, system) = await RepositoryAsync(ct);
        // Where there are sets there is a stanza.
        if (sets.Count == 0)
            await EnsureStanzaAsync(ct, BusyAsync);
        else
            await RequireOwnAsync(system, ct);
        for (var done = false; ; sets = await InfoAsync(ct))
        {
            if (sets.FirstOrDefault(set => set.Operation == operation) is { } made)
                return await StoredAsync(made, ct);
            // It would be made again and again.
            if (done)
                throw Failed("backup", 0, "pgBackRest says that the backup is done, and does not list it: the object store does not list what was written to it. See what `pgbackrest info` and `pgbackrest repo-ls` say.");
            var (code, said) = await TryAsync(
                ["backup", $"--type={(method switch { BackupMethod.Full => "full", BackupMethod.Differential => "diff", _ => "incr" })}", $"--annotation=operation={operation}", "--log-level-console=detail"],
                line => Report(line, progress), ct);
            done = code == 0;
            if (done)
                continue;
            if (code != Locked)
                throw Failed("backup", code, said);
            await BusyAsync();
        }

        // An earlier guard of this node began one, or somebody did by hand: nothing is begun beside it. The job ends when nobody wants it any more.
        Task BusyAsync()
        {
            if (clock.GetElapsedTime(began) > BusyAtMost)
                throw new GuardException($"Another pgBackRest has worked on the stanza {settings.Stanza} for all of the {BusyAtMost.TotalHours:0} hours that it is waited for. Look what it does (ps -fu of the server's user, pgbackrest info), end it when it stands still, then make the backup again.");
            progress("Another pgBackRest works on the stanza; waiting for it.");
            return Task.Delay(TimeSpan.FromSeconds(1), clock, ct);
        }
    }

    /// <summary>What lies in the repository, and what is missing in the log.</summary>
    public async Task<RepositorySight> LookAsync(CancellationToken ct)
    {
        var (sets, (archived, timelines)) = await InfoAndArchiveAsync(ct);
        var oldest = sets.Select(set => WalSegment.Parse(set.First)).OfType<WalSegment>().OrderBy(segment => segment.Timeline).ThenBy(segment => segment.Number).Cast<WalSegment?>().FirstOrDefault();
        var gaps = WalGaps.Find(archived, timelines, oldest);
        var broken = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var set in sets)
        {
            if (gaps.FirstOrDefault(gap => Needs(set, gap)) is { } gap)
                broken[set.Label] = $"It needs {gap.First} to become consistent, and that is not in the archive.";
        }

        return new(await FoundAsync(sets, ct), gaps, broken, archived.Count == 0 ? null : archived.Max(segment => segment.At));
    }

    /// <summary>Restores a set into an empty directory, or goes on with it.</summary>
    /// <returns>When the set ends, when it lies on a branch of the log that was left: what was written since is nowhere in it; null: it does not.</returns>
    public async Task<DateTimeOffset?> RestoreAsync(string label, string data, DateTimeOffset? target, Action<string> progress, CancellationToken ct)
    {
        var (sets, (_, timelines)) = await InfoAndArchiveAsync(ct);
        var made = sets.FirstOrDefault(set => set.Label == label) is { } known && WalSegment.Parse(known.Last) is not null ? known : throw new GuardException($"pgBackRest knows no set {label}.") { Damaged = true };
        var timeline = RestoreTimeline.Of(WalSegment.Parse(made.Last)!.Value, timelines);
        string[] which = target is { } moment
            ? ["--type=time", $"--target={moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture)}+00", "--target-action=promote"]
            : ["--type=default"];
        // The newest timeline of all may have been begun before the set was made: what a restore overwrote can be brought back along its own.
        which = [.. which, string.Create(CultureInfo.InvariantCulture, $"--target-timeline={timeline}")];
        var (code, said) = await TryAsync(
            ["restore", $"--pg1-path={data}", $"--set={label}", "--archive-mode=off", "--delta", "--force", "--log-level-console=detail", .. which], line => Report(line, progress), ct);
        if (code != 0)
            throw Failed("restore", code, said);
        return timelines.Any(start => start.Timeline > timeline) ? made.StoppedAt : null;
    }

    /// <summary>Removes a set, and the log that only it needed. One that is not there is removed.</summary>
    public async Task RemoveAsync(string label, CancellationToken ct)
    {
        var sets = await InfoAsync(ct);
        if (sets.Any(set => set.Label == label))
        {
            if (sets.FirstOrDefault(set => set.DependsOn.Contains(label)) is { } needs)
                throw new GuardException($"{label} stays: {needs.Label} needs it. Remove that one first.") { Refused = true };
            await RunAsync(["expire", $"--set={label}"], ct);
        }

        if ((await InfoAsync(ct)).Count(set => set.DependsOn.Count == 0) is > 0 and var full)
            await RunAsync(["expire", "--repo1-retention-archive-type=full", $"--repo1-retention-archive={full.ToString(CultureInfo.InvariantCulture)}", $"--repo1-retention-full={full.ToString(CultureInfo.InvariantCulture)}"], ct);
    }

    private async Task<(IReadOnlyList<Made> Sets, (IReadOnlyList<ArchivedSegment> Segments, IReadOnlyList<TimelineStart> Timelines) Archive)> InfoAndArchiveAsync(CancellationToken ct)
    {
        var (sets, archive) = (InfoAsync(ct), ArchiveAsync(ct));
        await Task.WhenAll(sets, archive);
        return (await sets, await archive);
    }

    /// <summary>Reads every set's manifest: a call each, which mostly waits for the object store, so that several go at a time.</summary>
    private async Task<IReadOnlyList<RepositorySet>> FoundAsync(IReadOnlyList<Made> sets, CancellationToken ct)
    {
        var found = new RepositorySet[sets.Count];
        await Parallel.ForAsync(0, sets.Count, new ParallelOptions { MaxDegreeOfParallelism = ManifestsAtOnce, CancellationToken = ct }, async (number, ended) =>
        {
            var (set, manifest) = (sets[number], await ManifestAsync(sets[number].Label, ended));
            found[number] = new(set.Label, manifest?.Digest, set.Bytes, set.StoppedAt);
        });
        return found;
    }

    private static bool Needs(Made set, WalGap gap) =>
        WalSegment.Parse(set.First) is { } first && WalSegment.Parse(set.Last) is { } last && WalSegment.Parse(gap.First) is { } from && WalSegment.Parse(gap.Last) is { } to
        && from.Timeline == first.Timeline && from.Number <= last.Number && to.Number >= first.Number;

    private async Task<StoredBackup> StoredAsync(Made made, CancellationToken ct) => new(
        made.Label, made.StartedAt, made.StoppedAt, new(made.StoppedAt, made.StoppedAt), made.Bytes,
        await ManifestAsync(made.Label, ct) ?? throw new GuardException($"pgBackRest made {made.Label}, and its manifest cannot be read."),
        $"s3://{settings.Repository.Bucket}{settings.Repository.Path.TrimEnd('/')}/backup/{settings.Stanza}/{made.Label}", made.DependsOn,
        made.Error ? ["Pages with wrong checksums were found in the database while it was copied: see the log of pgBackRest."] : []);

    private async Task<IReadOnlyList<Made>> InfoAsync(CancellationToken ct) => (await RepositoryAsync(ct)).Sets;

    /// <returns>What lies there, and the identifier of the server that it is of by now; null: there is no stanza.</returns>
    private async Task<(IReadOnlyList<Made> Sets, string? System)> RepositoryAsync(CancellationToken ct)
    {
        using var document = JsonDocument.Parse(await RunAsync(["info", "--output=json"], ct));
        foreach (var status in document.RootElement.EnumerateArray().SelectMany(stanza => stanza.GetProperty("repo").EnumerateArray()).Select(repository => repository.GetProperty("status")))
        {
            if (status.GetProperty("code").GetInt32() == Unread)
                throw Failed("info", Unread, $"ERROR: {status.GetProperty("message").GetString()}");
        }

        var stanzas = document.RootElement.EnumerateArray().ToList();
        return (
            [.. stanzas.SelectMany(stanza => stanza.TryGetProperty("backup", out var sets) ? sets.EnumerateArray().Select(Read) : [])],
            // One that was upgraded has more than one, the newest last.
            stanzas.SelectMany(stanza => stanza.TryGetProperty("db", out var servers) ? servers.EnumerateArray().Select(server => server.GetProperty("system-id").GetRawText()) : []).LastOrDefault());
    }

    /// <summary>Whoever points a new server at an old repository would have neither its sets nor its log archived, and would be told so by words that name no server.</summary>
    /// <param name="system">As of <see cref="RepositoryAsync"/>.</param>
    /// <exception cref="GuardException">What lies there is of another server.</exception>
    private async Task RequireOwnAsync(string? system, CancellationToken ct)
    {
        if (system is null)
            return;
        var own = ControlData.Of(await tools.RunAsync("pg_controldata", [configuration.Data], ct), "Database system identifier");
        if (own == system)
            return;
        throw new GuardException(
            $"The repository s3://{settings.Repository.Bucket}{settings.Repository.Path} (stanza {settings.Stanza}) is that of another server: it holds the backups of the one with the system identifier {system}, and that of {configuration.Node} has {own}. "
            + $"Nothing is written into it. When {configuration.Node} is a server of its own, give backup.repository.path of both nodes a place that is empty, and start their guards again. When it is to have the data that lies there, restore it (platformops restore). "
            + $"When it was made of that one by pg_upgrade, carry out once, as the server's user: {settings.Program} --config={ConfigurationFile(configuration)} --stanza={settings.Stanza} stanza-upgrade")
        {
            Damaged = true,
        };
    }

    private static Made Read(JsonElement set)
    {
        var (label, archive, time) = (set.GetProperty("label").GetString()!, set.GetProperty("archive"), set.GetProperty("timestamp"));
        return new(
            label, set.TryGetProperty("annotation", out var notes) && notes.TryGetProperty("operation", out var operation) ? operation.GetString() : null,
            DateTimeOffset.FromUnixTimeSeconds(time.GetProperty("start").GetInt64()), DateTimeOffset.FromUnixTimeSeconds(time.GetProperty("stop").GetInt64()),
            archive.GetProperty("start").GetString() ?? "", archive.GetProperty("stop").GetString() ?? "", set.GetProperty("info").GetProperty("repository").GetProperty("delta").GetInt64(),
            set.GetProperty("reference") is { ValueKind: JsonValueKind.Array } references ? [.. references.EnumerateArray().Select(reference => reference.GetString()!)] : [],
            set.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.True);
    }

    /// <summary>Null: it is missing, or is not what was written.</summary>
    /// <exception cref="GuardException">Nobody knows.</exception>
    private async Task<BackupManifest?> ManifestAsync(string label, CancellationToken ct)
    {
        var (code, output, errors) = await CallAsync(["repo-get", $"backup/{settings.Stanza}/{label}/backup.manifest"], ct);
        if (code != 0 && !Damages.Contains(code))
            throw Failed("repo-get", code, $"{output}\n{errors}");
        return code != 0 || output.Length == 0 ? null : new(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(output))), File().Count(output));
    }

    private async Task<(IReadOnlyList<ArchivedSegment> Segments, IReadOnlyList<TimelineStart> Timelines)> ArchiveAsync(CancellationToken ct)
    {
        using var document = JsonDocument.Parse(await RunAsync(["repo-ls", $"archive/{settings.Stanza}", "--recurse", "--output=json"], ct));
        var (segments, timelines) = (new List<ArchivedSegment>(), new List<TimelineStart>());
        foreach (var entry in document.RootElement.EnumerateObject().Where(entry => entry.Value.TryGetProperty("time", out _)))
        {
            if (WalSegment.Parse(entry.Name) is { } segment)
                segments.Add(new(segment, DateTimeOffset.FromUnixTimeSeconds(entry.Value.GetProperty("time").GetInt64())));
            else if (entry.Name.EndsWith(".history", StringComparison.Ordinal) && await CallAsync(["repo-get", $"archive/{settings.Stanza}/{entry.Name}"], ct) is (0, var history, _) && StartOf(entry.Name, history) is { } start)
                timelines.Add(start);
        }

        return (segments, timelines);
    }

    /// <summary>The last line of a history says where the timeline leaves its parent.</summary>
    private static TimelineStart? StartOf(string name, string history) =>
        history.Split('\n').Select(line => line.Split('\t')).LastOrDefault(parts => parts.Length >= 2 && uint.TryParse(parts[0].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out _)) is { } last
        && uint.TryParse(Path.GetFileName(name)[..8], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var timeline)
            ? new(timeline, uint.Parse(last[0].Trim(), CultureInfo.InvariantCulture), WalSegment.NumberAt(last[1].Trim()))
            : null;

    private async Task<string> RunAsync(IReadOnlyList<string> command, CancellationToken ct)
    {
        var (code, output, errors) = await CallAsync(command, ct);
        return code == 0 ? output : throw Failed(command[0], code, $"{output}\n{errors}");
    }

    private Task<(int Code, string Output, string Errors)> CallAsync(IReadOnlyList<string> command, CancellationToken ct) => tools.TryAsync(settings.Program, Arguments(command), "/", Environment(), ct);

    private async Task<(int Code, string Said)> TryAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken ct)
    {
        var last = new Queue<string>();
        var code = await tools.ReadLinesAsync(settings.Program, Arguments(command), Environment(), said =>
        {
            line(said);
            last.Enqueue(said);
            if (last.Count > 20)
                last.Dequeue();
        }, ct);
        return (code, string.Join('\n', last));
    }

    private string[] Arguments(IReadOnlyList<string> command)
    {
        WriteConfiguration();
        // The stanza of a command on the repository as a whole is in its path.
        return [$"--config={ConfigurationFile(configuration)}", .. command[0].StartsWith("repo-", StringComparison.Ordinal) ? Array.Empty<string>() : [$"--stanza={settings.Stanza}"], .. command];
    }

    private void WriteConfiguration()
    {
        // Several calls at a time write the same files, also those that look after markers.
        using var alone = Writing.EnterScope();
        Directory.CreateDirectory(Path.Combine(configuration.State, "pgbackrest.lock"));
        user.Own(Path.Combine(configuration.State, "pgbackrest.lock"));
        var writer = new ServerSettings(configuration, user);
        writer.WriteFile(ConfigurationFile(configuration), Write(configuration));
        writer.WriteFile(PassFile, $"*:*:*:{ServerRoles.Guard}:{ServerRoles.PasswordOf(ServerRoles.Guard, configuration.PasswordFile).Reveal()}\n");
    }

    private string PassFile => Path.Combine(configuration.State, "pgbackrest.pass");

    private Dictionary<string, string> Environment() => new() { ["PGPASSFILE"] = PassFile };

    private GuardException Failed(string command, int code, string said)
    {
        var errors = said.Split('\n').Where(line => line.Contains("ERROR:", StringComparison.Ordinal)).Select(line => line[line.IndexOf("ERROR:", StringComparison.Ordinal)..].Trim()).ToList();
        var why = errors.Count > 0 ? string.Join(' ', errors) : said.Trim();
        var trouble = PgBackRestTrouble.Of(said, configuration.Node, settings.Repository.Bucket);
        return new($"{(trouble is null ? "" : $"{trouble} ")}pgBackRest {command} ended with {code}: {(why.Length > 600 ? why[..600] + "..." : why)}") { Damaged = Damages.Contains(code) };
    }

    /// <summary>What it says of how far it is is for people who wait.</summary>
    private static void Report(string line, Action<string> progress)
    {
        if (Percent().Match(line) is { Success: true } match)
            progress($"{match.Groups[1].Value} percent");
    }

    private static (string Key, string Secret) Keys(string file)
    {
        var fields = Text(file).Split('\n').Select(line => line.Split('=', 2, StringSplitOptions.TrimEntries)).Where(pair => pair.Length == 2).GroupBy(pair => pair[0]).ToDictionary(same => same.Key, same => same.First()[1]);
        return fields.TryGetValue("aws_access_key_id", out var key) && fields.TryGetValue("aws_secret_access_key", out var secret)
            ? (key, secret)
            : throw new GuardException($"backup.repository.credentialsFile {file} has no aws_access_key_id with aws_secret_access_key.");
    }

    private static string Text(string file)
    {
        try
        {
            return System.IO.File.ReadAllText(file).Trim() is { Length: > 0 } text ? text : throw new GuardException($"{file} is empty: a secret is expected in it.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new GuardException($"{file} cannot be read: {failure.Message}", failure);
        }
    }

    [GeneratedRegex(@"\([^()]*, ([0-9.]+)%\)")]
    private static partial Regex Percent();

    [GeneratedRegex("^pg_(data|tblspc)/.*={", RegexOptions.Multiline)]
    private static partial Regex File();

    /// <param name="Operation">Who made it, as it is annotated; null: somebody else.</param>
    /// <param name="First">The first piece of the log that it needs to become consistent.</param>
    /// <param name="Last">The last one.</param>
    private sealed record Made(
        string Label, string? Operation, DateTimeOffset StartedAt, DateTimeOffset StoppedAt, string First, string Last, long Bytes, IReadOnlyList<string> DependsOn, bool Error);
}

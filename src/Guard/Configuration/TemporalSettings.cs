namespace PlatformOps.Guard.Configuration;

/// <summary>A Temporal server that is started on a restored copy, where nothing of it gets out, and ended again. Programs run as the server's user, in a network that has nothing but its own loopback.</summary>
public sealed record TemporalSettings
{
    /// <summary>Starts the server, in the foreground, so that its frontend answers on <c>127.0.0.1:7233</c>. What it is given: <c>docs/guard.md</c>.</summary>
    public string Server { get; init; } = "";

    /// <summary>Replays histories with the code of your workers; ends with 0 when all of them do, with 75 when it could not find out. Null: nothing is replayed.</summary>
    public string? Replay { get; init; }

    /// <summary>How long the server may take until it answers. Default 120.</summary>
    public int StartSeconds { get; init; } = 120;

    /// <summary>How long a replay may take. Default 600.</summary>
    public int ReplaySeconds { get; init; } = 600;

    internal TemporalSettings RelativeTo(Func<string, string> at) => this with { Server = at(Server), Replay = Replay is { } replay ? at(replay) : null };

    internal IEnumerable<string> Problems()
    {
        foreach (var (field, file) in new[] { ("server", Server), ("replay", Replay) })
        {
            if (file is not null && !File.Exists(file))
                yield return $"backup.temporal.{field} is '{file}': there is no such program. Name one, or leave backup.temporal{(field == "replay" ? ".replay" : "")} out.";
        }

        if (StartSeconds is < 1 or > 3600)
            yield return $"backup.temporal.startSeconds is {StartSeconds}: 1 to 3600 is expected.";
        if (ReplaySeconds is < 1 or > 86_400)
            yield return $"backup.temporal.replaySeconds is {ReplaySeconds}: 1 to 86400 is expected.";
    }
}

using System.Text.Json;
using PlatformOps.Platform.Alerts;
using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Alerts;

/// <summary>An alert that no route takes.</summary>
/// <param name="Reason">Why, and what to do.</param>
internal sealed record DeadLetter(DateTimeOffset At, string Reason, Alert Alert);

/// <summary>The newest alerts that could not be routed; with a file, over restarts too.</summary>
internal sealed class DeadLetters
{
    /// <summary>How many are kept.</summary>
    public const int Most = 1000;

    private readonly Lock gate = new();
    private readonly Queue<DeadLetter> letters = [];
    private readonly string? file;
    private int lines;

    /// <param name="file">Null: memory alone keeps them.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public DeadLetters(string? file)
    {
        this.file = file;
        if (file is null || !File.Exists(file))
            return;
        foreach (var line in File.ReadLines(file))
        {
            lines++;
            // A line that was torn by the end of the machine is the last one, and no more.
            if (Read(line) is { } letter)
                Keep(letter);
        }
    }

    public IReadOnlyList<DeadLetter> All
    {
        get
        {
            lock (gate)
                return [.. letters];
        }
    }

    /// <exception cref="IOException">It cannot be written; it is in the list nevertheless.</exception>
    public void Add(DeadLetter letter)
    {
        lock (gate)
        {
            // A sender repeats what is wrong as faithfully as what is right.
            if (letters.Any(known => known.Alert.Key == letter.Alert.Key && known.Alert.Status == letter.Alert.Status && known.Reason == letter.Reason))
                return;
            Keep(letter);
            if (file is null)
                return;
            if (++lines > 2 * Most)
            {
                File.WriteAllLines(file + ".new", letters.Select(Write));
                File.Move(file + ".new", file, overwrite: true);
                lines = letters.Count;
            }
            else
            {
                File.AppendAllLines(file, [Write(letter)]);
            }
        }
    }

    private void Keep(DeadLetter letter)
    {
        letters.Enqueue(letter);
        if (letters.Count > Most)
            letters.Dequeue();
    }

    private static string Write(DeadLetter letter) => JsonSerializer.Serialize(letter, JsonOutput.Compact);

    private static DeadLetter? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<DeadLetter>(line, JsonOutput.Compact);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

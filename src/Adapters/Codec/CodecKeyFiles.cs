namespace PlatformOps.Adapters.Codec;

/// <summary>Where keys of the payload codec are kept.</summary>
public static class CodecKeyFiles
{
    /// <summary>The file that holds the id of the key that encodes.</summary>
    public const string Active = "active";

    /// <summary>Keys in a folder, a mounted Secret for example: a file for each, named by its id, and <see cref="Active"/>. With one key alone that file may be missing.</summary>
    /// <exception cref="AdapterException">The folder cannot be read, or holds something else; no message holds a key.</exception>
    public static CodecKeyRing ReadFolder(string folder)
    {
        try
        {
            // A mounted Secret keeps its data behind names that begin with two dots.
            var files = Directory.EnumerateFiles(folder).Where(file => !Path.GetFileName(file).StartsWith('.')).ToDictionary(file => Path.GetFileName(file)!, File.ReadAllText);
            var keys = files.Where(file => file.Key != Active).Select(file => CodecKey.Read(file.Key, file.Value, Path.Combine(folder, file.Key))).ToList();
            var active = files.TryGetValue(Active, out var named) ? named.Trim() : keys is [var only] ? only.Id : null;
            return active is null
                ? throw new AdapterException(AdapterFailureKind.Rejected, $"{folder} holds {keys.Count} keys and no file '{Active}' that names the one that encodes.")
                : new(keys, active, Path.Combine(folder, Active));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new AdapterException(AdapterFailureKind.Unavailable, $"The keys of the payload codec cannot be read: {failure.Message}", failure);
        }
    }

    /// <summary>Keys in one text, an environment variable or a file for example: <c>id:key</c> for each with commas or on lines, the newest last. The last one encodes, unless <c>active=id</c> says otherwise.</summary>
    /// <param name="where">What the text is, for messages.</param>
    /// <exception cref="AdapterException">It is something else.</exception>
    public static CodecKeyRing ReadText(string text, string where)
    {
        const string Named = Active + "=";
        var entries = text.Split([',', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var keys = entries.Where(entry => !entry.StartsWith(Named, StringComparison.Ordinal)).Select((entry, index) =>
        {
            var colon = entry.IndexOf(':', StringComparison.Ordinal);
            return colon > 0
                ? CodecKey.Read(entry[..colon], entry[(colon + 1)..], $"{where}, key '{entry[..colon]}',")
                : throw new AdapterException(AdapterFailureKind.Rejected, $"{where}: entry {index + 1} is not id:key.");
        }).ToList();
        if (keys.Select(key => key.Id).Distinct().Count() < keys.Count)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{where}: an id is given twice.");
        return new(keys, entries.FirstOrDefault(entry => entry.StartsWith(Named, StringComparison.Ordinal))?[Named.Length..] ?? (keys.Count > 0 ? keys[^1].Id : ""), where);
    }

    /// <summary>A folder, or a file with what <see cref="ReadText"/> reads.</summary>
    /// <exception cref="AdapterException">It cannot be read, or holds something else.</exception>
    public static CodecKeyRing Read(string path)
    {
        if (Directory.Exists(path))
            return ReadFolder(path);
        try
        {
            return ReadText(File.ReadAllText(path), path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new AdapterException(AdapterFailureKind.Unavailable, $"The keys of the payload codec cannot be read: {failure.Message}", failure);
        }
    }
}

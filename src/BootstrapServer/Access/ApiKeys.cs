using System.Security.Cryptography;
using System.Text;

namespace PlatformOps.BootstrapServer.Access;

/// <summary>The keys of one version of a key file. Only their digests are kept.</summary>
internal sealed class ApiKeys
{
    /// <summary>Shorter ones can be guessed.</summary>
    private const int ShortestKey = 16;

    private readonly IReadOnlyList<(byte[] Digest, KeyScope Scope)> keys;

    private ApiKeys(IReadOnlyList<(byte[] Digest, KeyScope Scope)> keys) => this.keys = keys;

    /// <summary>Reads lines of a key and the namespaces that it is for; <c>#</c> begins a comment line.</summary>
    /// <exception cref="FormatException">A line is not such a line; the message has its number.</exception>
    public static ApiKeys Parse(string text)
    {
        var keys = new List<(byte[], KeyScope)>();
        foreach (var (number, line) in text.Split('\n').Index())
        {
            var words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words is [] || words[0].StartsWith('#'))
                continue;
            if (words[0].Length < ShortestKey)
                throw new FormatException($"The key in line {number + 1} has less than {ShortestKey} characters.");
            keys.Add((Digest(words[0]), new KeyScope(words.Length == 1 ? null : words[1..].ToHashSet())));
        }
        return keys.Count > 0 ? new ApiKeys(keys) : throw new FormatException("No key is in it.");
    }

    /// <summary>What a key opens, or null. Takes the same time for every key that is offered.</summary>
    public KeyScope? Find(string offered)
    {
        var digest = Digest(offered);
        KeyScope? found = null;
        foreach (var (known, scope) in keys)
        {
            if (CryptographicOperations.FixedTimeEquals(known, digest))
                found = scope;
        }
        return found;
    }

    private static byte[] Digest(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}

/// <param name="Namespaces">Those that the key is for; null is everything, the operator's calls too.</param>
internal sealed record KeyScope(IReadOnlySet<string>? Namespaces);

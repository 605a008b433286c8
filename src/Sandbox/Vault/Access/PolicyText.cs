using System.Text.Json;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Access;

/// <summary>What a policy allows on the paths of one pattern.</summary>
internal sealed record PolicyRule(string Pattern, IReadOnlySet<string> Capabilities);

/// <summary>Reads a policy: HCL as people write it (<c>path "secret/data/*" { capabilities = ["read"] }</c>), or the same in JSON.</summary>
internal sealed class PolicyText
{
    private static readonly HashSet<string> Known = ["create", "read", "update", "delete", "list", "sudo", "deny", "patch"];

    private readonly string text;
    private int at;

    private PolicyText(string text) => this.text = text;

    public static IReadOnlyList<PolicyRule> Read(string text)
    {
        try
        {
            return text.TrimStart().StartsWith('{') ? ReadJson(JsonNode.Parse(text)!.AsObject()) : new PolicyText(text).ReadRules();
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw Bad("it is not JSON of a policy");
        }
    }

    private static List<PolicyRule> ReadJson(JsonObject policy) =>
        [.. (policy["path"] as JsonObject ?? throw Bad("path is missing")).Select(path => new PolicyRule(path.Key, Checked(path.Value!.AsObject().Words("capabilities") ?? [])))];

    private List<PolicyRule> ReadRules()
    {
        var rules = new List<PolicyRule>();
        while (Peek() is not null)
        {
            var word = Word();
            if (word == "name")
            {
                Expect('=');
                Quoted();
                continue;
            }

            if (word != "path")
                throw Bad($"'{word}' is not known here");
            rules.Add(new(Quoted(), Body()));
        }

        return rules;
    }

    private HashSet<string> Body()
    {
        HashSet<string> capabilities = [];
        Expect('{');
        while (Peek() != '}')
        {
            var word = Word();
            if (word != "capabilities")
                throw VaultFailure.NotPlayed($"'{word}' of policies");
            Expect('=');
            capabilities = Checked(List());
        }

        Expect('}');
        return capabilities;
    }

    private List<string> List()
    {
        var items = new List<string>();
        Expect('[');
        while (Peek() != ']')
        {
            items.Add(Quoted());
            if (Peek() == ',')
                at++;
        }

        Expect(']');
        return items;
    }

    private static HashSet<string> Checked(IEnumerable<string> capabilities)
    {
        var set = capabilities.ToHashSet();
        return set.FirstOrDefault(capability => !Known.Contains(capability)) is { } unknown ? throw Bad($"invalid capability \"{unknown}\"") : set;
    }

    /// <summary>The next character that is neither space nor comment.</summary>
    private char? Peek()
    {
        while (at < text.Length)
        {
            if (char.IsWhiteSpace(text[at]))
                at++;
            else if (text[at] == '#' || text.AsSpan(at).StartsWith("//", StringComparison.Ordinal))
                SkipTo("\n");
            else if (text.AsSpan(at).StartsWith("/*", StringComparison.Ordinal))
                SkipTo("*/");
            else
                return text[at];
        }

        return null;
    }

    private void SkipTo(string end)
    {
        var found = text.IndexOf(end, at, StringComparison.Ordinal);
        at = found < 0 ? text.Length : found + end.Length;
    }

    private string Word()
    {
        if (Peek() == '"')
            return Quoted();
        var start = at;
        while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] == '_'))
            at++;
        return at > start ? text[start..at] : throw Bad($"unexpected '{text[at]}'");
    }

    private string Quoted()
    {
        Expect('"');
        var end = text.IndexOf('"', at);
        if (end < 0)
            throw Bad("a text does not end");
        var quoted = text[at..end];
        at = end + 1;
        return quoted;
    }

    private void Expect(char wanted)
    {
        if (Peek() != wanted)
            throw Bad($"'{wanted}' is expected");
        at++;
    }

    private static VaultFailure Bad(string why) => VaultFailure.Rejected($"failed to parse policy: {why}");
}

using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Access;

namespace PlatformOps.Sandbox.Vault.Core;

/// <summary>One request.</summary>
/// <param name="Path">Without <c>/v1/</c>; inside an engine without its mount. Lists end with a slash.</param>
/// <param name="Fields">The body of a write, the query of a read.</param>
internal sealed record VaultRequest(VaultOperation Operation, string Path, JsonObject Fields)
{
    public string? Token { get; init; }

    public string? Namespace { get; init; }

    /// <summary>The body of a write that is no JSON; empty otherwise.</summary>
    public byte[] Raw { get; init; } = [];

    /// <summary>Whose token it is; null where none is needed.</summary>
    public TokenEntry? Caller { get; init; }

    /// <summary>Whether the caller may also create what is not there.</summary>
    public bool MayCreate { get; init; }

    /// <summary>The mount that answers, with its slash; empty for the system's own paths.</summary>
    public string Mount { get; init; } = "";

    public string[] Parts => Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>What a request wants to do, as policies call it.</summary>
internal enum VaultOperation
{
    Read,
    List,
    Create,
    Update,
    Delete,
}

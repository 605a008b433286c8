using System.Text;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>What a service answers: JSON, or plain text.</summary>
internal sealed record ExternalAnswer(int Status, JsonNode? Json, string? Text = null)
{
    public static ExternalAnswer Ok(JsonNode json) => new(200, json);

    public static ExternalAnswer Refusal(int status, JsonNode json) => new(status, json);

    public static implicit operator ExternalAnswer(JsonObject json) => Ok(json);

    public static implicit operator ExternalAnswer(JsonArray json) => Ok(json);
}

/// <summary>A call of a service's API.</summary>
/// <param name="Path">Its parts below the service's address, decoded.</param>
/// <param name="Credential">What a header proves with, without <c>Bearer</c>; null: nothing.</param>
internal sealed record ExternalCall(string Method, string[] Path, Func<string, string?> Query, Func<string, string?> Credential, JsonNode? Body)
{
    /// <summary>Who proves himself in HTTP's own way; null: nobody does.</summary>
    public string? User => Pair is { } pair ? pair[..pair.IndexOf(':')] : null;

    /// <summary>With what.</summary>
    public string? Password => Pair is { } pair ? pair[(pair.IndexOf(':') + 1)..] : null;

    private string? Pair => Credential("Authorization") is { } given && given.StartsWith("Basic ", StringComparison.Ordinal) ? Encoding.UTF8.GetString(Convert.FromBase64String(given["Basic ".Length..])) : null;
}

/// <summary>A service with users of its own.</summary>
internal interface IPasswordUsers
{
    /// <summary>Whether somebody has a password.</summary>
    bool Knows(string user);

    /// <summary>Gives somebody a password; who is not there is made.</summary>
    void Give(string user, string password);

    /// <summary>Whom a call is about, that has to be there before it is answered; null: nobody.</summary>
    string? Asked(ExternalCall call) => null;
}

/// <summary>One service: how it checks credentials, and what it answers out of the objects that it was told to have.</summary>
internal interface IExternalService
{
    /// <summary>Null when the call may go on.</summary>
    ExternalAnswer? Refuse(ExternalCall call, string token);

    /// <summary>Null for a path that it does not have.</summary>
    ExternalAnswer? Answer(ExternalCall call);
}

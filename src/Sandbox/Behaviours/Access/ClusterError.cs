using System.Net;

namespace PlatformOps.Sandbox.Behaviours.Access;

/// <summary>The API refused a call.</summary>
internal sealed class ClusterError(HttpStatusCode code, string reason, string message) : Exception(message)
{
    public HttpStatusCode Code { get; } = code;

    /// <summary>The machine-readable reason, for example <c>AlreadyExists</c>.</summary>
    public string Reason { get; } = reason;

    public bool NotFound => Code == HttpStatusCode.NotFound;

    public bool Conflict => Code == HttpStatusCode.Conflict;

    /// <summary>The version to watch from is too old: list again.</summary>
    public bool Expired => Code == HttpStatusCode.Gone;
}

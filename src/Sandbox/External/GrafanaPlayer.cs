using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>Grafana's API. Its users prove themselves in HTTP's own way, everybody else with a token; what it has, <see cref="IssuedCredentials"/> answers.</summary>
internal sealed class GrafanaPlayer(IssuedCredentials issued) : IExternalService
{
    public ExternalAnswer? Refuse(ExternalCall call, string token) => call.Credential("Authorization") == token || (call.User is { } user && issued.HasPassword(user, call.Password ?? ""))
        ? null
        : ExternalAnswer.Refusal(401, new JsonObject { ["message"] = "Invalid username or password" });

    public ExternalAnswer? Answer(ExternalCall call) => null;
}

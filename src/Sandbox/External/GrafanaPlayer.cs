using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>Grafana's API. Its users prove themselves in HTTP's own way, everybody else with a token; what it has, <see cref="IssuedCredentials"/> answers.</summary>
internal sealed class GrafanaPlayer(IssuedCredentials issued) : IExternalService, IPasswordUsers
{
    public bool Knows(string user) => issued.HasUser(user);

    public void Give(string user, string password) => issued.SetPassword(user, password);

    public ExternalAnswer? Refuse(ExternalCall call, string token) => call.Credential("Authorization") == token || (call.User is { } user && issued.HasPassword(user, call.Password ?? ""))
        ? null
        : ExternalAnswer.Refusal(401, new JsonObject { ["message"] = "Invalid username or password" });

    public ExternalAnswer? Answer(ExternalCall call) => null;
}

using Microsoft.AspNetCore.Http;

namespace PlatformOps.Sandbox.Api;

/// <summary>Who may call: whoever runs the platform, and the sandbox's own controllers.</summary>
/// <param name="Users">Goes into the kubeconfig.</param>
internal sealed record ApiServerTokens(string Users, string Controllers)
{
    public bool IsUsers(HttpRequest request) => Bearer(request) == Users;

    public bool IsControllers(HttpRequest request) => Bearer(request) == Controllers;

    private static string? Bearer(HttpRequest request) =>
        request.Headers.Authorization.ToString() is var header && header.StartsWith("Bearer ", StringComparison.Ordinal) ? header[7..].Trim() : null;
}

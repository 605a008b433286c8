using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.External;

/// <summary>Objects of one kind that a service with an API of its own holds. They are read, and never changed.</summary>
internal interface IExternalObjects
{
    /// <summary>The object that a declaration names, with the fields of the service's API; null when the service says that there is none.</summary>
    /// <param name="declared">The <c>spec</c> of the declaration.</param>
    /// <exception cref="AdapterException">It is not reachable, does not accept our credential, or the declaration does not say which object it means.</exception>
    Task<JsonObject?> ReadAsync(JsonObject declared, CancellationToken ct);
}

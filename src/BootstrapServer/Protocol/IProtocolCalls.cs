namespace PlatformOps.BootstrapServer.Protocol;

/// <summary>
/// Handlers for some calls of one gRPC service. A call is answered by the public method that carries its protocol name:
/// <c>Task&lt;TResponse&gt; Name(TRequest request, ServerCallContext context)</c>. A service's calls may be spread over any
/// number of classes (one per area); a call that no class answers is UNIMPLEMENTED, by name.
/// </summary>
internal interface IProtocolCalls
{
    /// <summary>The service whose calls these are, for instance <c>temporal.api.workflowservice.v1.WorkflowService</c>.</summary>
    string Service { get; }
}

using System.Text.Json.Serialization;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;

namespace PlatformOps.BootstrapServer.Executions.Callbacks;

/// <summary>One callback, and how calling it went.</summary>
internal sealed class CompletionCallback
{
    public string Id { get; set; } = "";

    /// <summary>The request that attached it.</summary>
    public string RequestId { get; set; } = "";

    /// <summary>The callback as the caller sent it, serialised.</summary>
    public byte[] Message { get; set; } = [];

    [JsonIgnore]
    public Callback Callback => Callback.Parser.ParseFrom(Message);

    public DateTimeOffset Registered { get; set; }

    public CallbackState State { get; set; } = CallbackState.Standby;

    public int Attempt { get; set; }

    public DateTimeOffset? LastAttempt { get; set; }

    public Failure? LastFailure { get; set; }

    public DateTimeOffset? NextAttempt { get; set; }
}

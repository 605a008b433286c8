using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions.Callbacks;

/// <summary>The HTTP request that tells the end of a workflow, as the Nexus protocol has it for operations that complete.</summary>
internal static class NexusCompletion
{
    private const string State = "Nexus-Operation-State";

    public static HttpRequestMessage Request(WorkflowRun run, CompletionCallback callback, Callback.Types.Nexus nexus, HistoryEvent close)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, nexus.Url);
        if (close.WorkflowExecutionCompletedEventAttributes is { } completed)
        {
            request.Headers.TryAddWithoutValidation(State, "succeeded");
            request.Content = Result(completed.Result?.Payloads_.FirstOrDefault());
        }
        else
        {
            request.Headers.TryAddWithoutValidation(State, close.EventType == EventType.WorkflowExecutionCanceled ? "canceled" : "failed");
            request.Content = Content(Encoding.UTF8.GetBytes(Error(FailureOf(close)).ToJsonString()), "application/json");
        }
        request.Headers.TryAddWithoutValidation("Nexus-Operation-Start-Time", run.State.StartTime.ToString("R", CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation("Nexus-Operation-Close-Time", close.EventTime.ToDateTimeOffset().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation("Nexus-Link", Link(run, callback));
        foreach (var (name, value) in nexus.Header)
        {
            request.Headers.Remove(name); // the caller's own word is the last
            request.Headers.TryAddWithoutValidation(name, value);
        }
        return request;
    }

    private static ByteArrayContent Result(Payload? payload)
    {
        if (payload is null)
            return new ByteArrayContent([]);
        var encoding = payload.Metadata.TryGetValue("encoding", out var found) ? found.ToStringUtf8() : "";
        return (encoding, payload.Metadata.Count) switch
        {
            ("json/plain", 1) => Content(payload.Data.ToByteArray(), "application/json"),
            ("binary/plain", 1) => Content(payload.Data.ToByteArray(), "application/octet-stream"),
            ("binary/null", 1) => new ByteArrayContent([]),
            _ => Content(payload.ToByteArray(), "application/x-temporal-payload"),
        };
    }

    private static ByteArrayContent Content(byte[] body, string type) => new(body) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };

    private static Failure FailureOf(HistoryEvent close) => close.EventType switch
    {
        EventType.WorkflowExecutionFailed => close.WorkflowExecutionFailedEventAttributes.Failure,
        EventType.WorkflowExecutionCanceled => new Failure
        {
            Message = "operation canceled",
            CanceledFailureInfo = new CanceledFailureInfo { Details = close.WorkflowExecutionCanceledEventAttributes.Details },
        },
        EventType.WorkflowExecutionTerminated => new Failure { Message = "operation terminated", TerminatedFailureInfo = new TerminatedFailureInfo() },
        _ => new Failure { Message = "operation exceeded internal timeout", TimeoutFailureInfo = new TimeoutFailureInfo() },
    };

    private static JsonObject Error(Failure failure)
    {
        var details = failure.Clone();
        details.Message = "";
        return new JsonObject
        {
            ["message"] = failure.Message,
            ["metadata"] = new JsonObject { ["type"] = Failure.Descriptor.FullName },
            ["details"] = JsonNode.Parse(JsonFormatter.Default.Format(details)),
        };
    }

    /// <summary>Points at the event that the callback came with, by its request id where the event may have no number yet.</summary>
    private static string Link(WorkflowRun run, CompletionCallback callback)
    {
        var (ns, workflowId) = (Uri.EscapeDataString(run.Namespace.Name), Uri.EscapeDataString(run.WorkflowId));
        var reference = callback.RequestId == run.State.StartRequestId
            ? "eventID=1&eventType=WorkflowExecutionStarted&referenceType=EventReference"
            : $"eventType=WorkflowExecutionOptionsUpdated&referenceType=RequestIdReference&requestID={Uri.EscapeDataString(callback.RequestId)}";
        return $"<temporal:///namespaces/{ns}/workflows/{workflowId}/{run.RunId}/history?{reference}>; type=\"temporal.api.common.v1.Link.WorkflowEvent\"";
    }
}

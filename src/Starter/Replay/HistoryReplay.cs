using System.Globalization;
using System.Text.RegularExpressions;
using PlatformOps.Activities;
using PlatformOps.Adapters.Codec;
using PlatformOps.Starter.Codec;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace PlatformOps.Starter.Replay;

/// <summary>Replays histories of the product's own workflows, as workers of this version would.</summary>
internal static partial class HistoryReplay
{
    /// <summary>Longer reasons are cut: the core tells a whole event.</summary>
    private const int Longest = 240;

    private static readonly HashSet<string> Ours = [.. WorkerRegistration.Workflows.Select(type => type.Name)];

    /// <summary>Fetches and replays an execution.</summary>
    /// <exception cref="RpcException">The server does not answer.</exception>
    public static async Task<ReplayResult> OfAsync(TemporalClient client, Execution execution, CancellationToken ct)
    {
        string? type = null;
        try
        {
            var options = (TemporalClientOptions)client.Options.Clone();
            options.Namespace = execution.Namespace!;
            var rpc = new RpcOptions { CancellationToken = ct };
            var handle = new TemporalClient(client.Connection, options).GetWorkflowHandle(execution.WorkflowId, execution.RunId);
            var described = await handle.DescribeAsync(new() { Rpc = rpc });
            (type, execution) = (described.WorkflowType, execution with { RunId = described.RunId });
            // Histories of others may be long, and are not for us to read.
            if (!Ours.Contains(type))
                return new(execution, type, ReplayVerdict.NotOurs);
            return await OfAsync(await (handle with { RunId = described.RunId }).FetchHistoryAsync(new() { Rpc = rpc }), execution, type, ct);
        }
        catch (RpcException failure) when (failure.Code is not (RpcException.StatusCode.Unavailable or RpcException.StatusCode.DeadlineExceeded or RpcException.StatusCode.Cancelled))
        {
            return new(execution, type, ReplayVerdict.Unread, Reason: $"the server does not give it ({failure.Code}): {OneLine(failure.Message)}", ExitCode: failure.Code switch
            {
                RpcException.StatusCode.NotFound or RpcException.StatusCode.InvalidArgument => ExitCode.NotFound,
                RpcException.StatusCode.PermissionDenied or RpcException.StatusCode.Unauthenticated => ExitCode.Unreachable,
                _ => ExitCode.Failure,
            });
        }
    }

    /// <summary>Replays a history in a file, as <c>temporal workflow show --output json</c> writes it.</summary>
    /// <exception cref="CommandFailure">The file holds no history.</exception>
    public static async Task<ReplayResult> OfAsync(string file, CancellationToken ct)
    {
        WorkflowHistory history;
        try
        {
            history = WorkflowHistory.FromJson(Path.GetFileNameWithoutExtension(file), await File.ReadAllTextAsync(file, ct));
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            throw NoHistory(file, $"{failure.GetType().Name}{(failure is IOException or UnauthorizedAccessException ? $": {failure.Message}" : "")}.", failure);
        }

        if (history.Events.FirstOrDefault()?.WorkflowExecutionStartedEventAttributes is not { } started)
            throw NoHistory(file, "It does not begin with the start of a workflow.");
        var execution = new Execution(null, started.WorkflowId is { Length: > 0 } id ? id : history.Id, started.OriginalExecutionRunId is { Length: > 0 } run ? run : null);
        return await OfAsync(new(execution.WorkflowId, history.Events), execution, started.WorkflowType.Name, ct);
    }

    private static CommandFailure NoHistory(string file, string why, Exception? cause = null) =>
        new(ExitCode.Usage, $"{file} is no history.", why, "Write it with: temporal workflow show --workflow-id ID --output json > FILE", cause);

    private static async Task<ReplayResult> OfAsync(WorkflowHistory history, Execution execution, string type, CancellationToken ct)
    {
        var events = history.Events.Count;
        if (!Ours.Contains(type))
            return new(execution, type, ReplayVerdict.NotOurs, events);
        if (Gap(history.Events) is { } gap)
            return new(execution, type, ReplayVerdict.Unread, events, gap, ExitCode.Failure);
        if (history.Events.All(one => one.EventType != EventType.WorkflowTaskCompleted))
            return new(execution, type, ReplayVerdict.NotBegun, events);
        var codec = new RememberingCodec(ConfiguredCodec.Converter.PayloadCodec!);
        var options = WorkerRegistration.CreateReplayerOptions(ConfiguredCodec.Converter with { PayloadCodec = codec });
        options.Runtime = SdkRuntime.Instance;
        options.TaskQueue = history.Events.First().WorkflowExecutionStartedEventAttributes.TaskQueue.Name;
        options.Namespace = execution.Namespace ?? options.Namespace;
        // A slow machine is no deadlock: here nobody waits for the workflow's task.
        options.DebugMode = true;
        // Of the two ways to replay this is the one that can be interrupted.
        var replayed = await new WorkflowReplayer(options).ReplayWorkflowsAsync(new[] { history }.ToAsyncEnumerable(), throwOnReplayFailure: false, ct).SingleAsync(ct);
        if (codec.Failure is { } unreadable)
            return new(execution, type, ReplayVerdict.Unread, events, unreadable.Message, ExitCode.Invalid);
        return replayed.ReplayFailure is { } failure
            ? new(execution, type, ReplayVerdict.DoesNotReplay, events, Reason(failure), ExitCode.RunFailed) : new(execution, type, ReplayVerdict.Replays, events);
    }

    private static string? Gap(IEnumerable<HistoryEvent> events) =>
        events.Index().Where(one => one.Item.EventId != one.Index + 1).Select(one => string.Create(CultureInfo.InvariantCulture, $"its history has a gap: event {one.Item.EventId} follows event {one.Index}.")).FirstOrDefault();

    /// <summary>What the SDK says is a failure with everything in it, written for its developers. What it says of commands and events names types and ids; the message of an exception may hold what payloads hold, and is for --verbose.</summary>
    private static string Reason(Exception failure)
    {
        var said = failure.Message;
        if (said.StartsWith("LangFail", StringComparison.Ordinal))
            return $"the workflow's code fails{(FailureType().Matches(said) is [.., var outermost] ? $" with {outermost.Groups[1].Value}" : "")}; --verbose says more";
        return OneLine(FailureMessage().Match(said) is { Success: true } message ? message.Groups[1].Value.Replace("\\\"", "\"", StringComparison.Ordinal) : said);
    }

    [GeneratedRegex("""message: "((?:[^"\\]|\\.)+)["]""")]
    private static partial Regex FailureMessage();

    [GeneratedRegex("""ApplicationFailureInfo \{ r#type: "((?:[^"\\]|\\.)+)["]""")]
    private static partial Regex FailureType();

    private static string OneLine(string text)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= Longest ? line : $"{line[..Longest]}...";
    }

    /// <summary>Tells a missing key from a workflow that decides otherwise: to the SDK both are a task that failed.</summary>
    private sealed class RememberingCodec(IPayloadCodec codec) : IPayloadCodec
    {
        /// <summary>Why the first payload was not decoded that was not.</summary>
        public PayloadCodecException? Failure { get; private set; }

        public Task<IReadOnlyCollection<Payload>> EncodeAsync(IReadOnlyCollection<Payload> payloads) => codec.EncodeAsync(payloads);

        public async Task<IReadOnlyCollection<Payload>> DecodeAsync(IReadOnlyCollection<Payload> payloads)
        {
            try
            {
                return await codec.DecodeAsync(payloads);
            }
            catch (PayloadCodecException failure)
            {
                Failure ??= failure;
                throw;
            }
        }
    }
}

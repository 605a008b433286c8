using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using PlatformOps.Platform.Bootstrap;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Schedule.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Adapters.Bootstrap;

/// <summary>What a bootstrap cluster says of itself, kept in it as a schedule that never runs: the one thing in the API of Temporal that is written by compare-and-swap, and everybody
/// sees it who works with schedules.</summary>
public sealed class BootstrapMarker(ITemporalClient client)
{
    /// <summary>The schedule that carries the record.</summary>
    public const string ScheduleId = "platformops-bootstrap";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    /// <returns>Null when the cluster was never moved.</returns>
    public async Task<KnownRecord?> ReadAsync(CancellationToken ct)
    {
        try
        {
            var found = await client.WorkflowService.DescribeScheduleAsync(new() { Namespace = client.Options.Namespace, ScheduleId = ScheduleId }, BootstrapCluster.Rpc(ct));
            var kept = found.Schedule.Action.StartWorkflow.Input.Payloads_[0].Data.ToStringUtf8();
            return new(
                JsonSerializer.Deserialize<BootstrapRecord>(kept, Json)!, (found.Info.UpdateTime ?? found.Info.CreateTime).ToDateTimeOffset(), found.ConflictToken);
        }
        catch (RpcException failure) when (failure.Code == RpcException.StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Puts a record in the place of the one that was seen, or does nothing.</summary>
    public async Task WriteAsync(BootstrapRecord? seen, BootstrapRecord? record, CancellationToken ct)
    {
        var known = await ReadAsync(ct);
        if (known?.Record != seen)
            return;
        try
        {
            if (record is null)
                await client.WorkflowService.DeleteScheduleAsync(new() { Namespace = client.Options.Namespace, ScheduleId = ScheduleId }, BootstrapCluster.Rpc(ct));
            else if (known is null)
                await client.WorkflowService.CreateScheduleAsync(
                    new() { Namespace = client.Options.Namespace, ScheduleId = ScheduleId, Schedule = Of(record), RequestId = $"{record.PivotId}-{record.Role}" }, BootstrapCluster.Rpc(ct));
            else
                await client.WorkflowService.UpdateScheduleAsync(
                    new() { Namespace = client.Options.Namespace, ScheduleId = ScheduleId, Schedule = Of(record), ConflictToken = known.Token, RequestId = $"{record.PivotId}-{record.Role}" }, BootstrapCluster.Rpc(ct));
        }
        catch (RpcException failure) when (failure.Code is RpcException.StatusCode.AlreadyExists or RpcException.StatusCode.FailedPrecondition or RpcException.StatusCode.NotFound)
        {
            // Somebody else was faster: the next look shows what is so.
        }
    }

    private static Schedule Of(BootstrapRecord record) => new()
    {
        Spec = new(),
        Policies = new(),
        State = new() { Paused = true, Notes = Note(record) },
        Action = new()
        {
            StartWorkflow = new()
            {
                WorkflowId = ScheduleId,
                WorkflowType = new() { Name = ScheduleId },
                TaskQueue = new() { Name = ScheduleId },
                Input = new()
                {
                    Payloads_ = { new Payload { Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain") }, Data = ByteString.CopyFromUtf8(JsonSerializer.Serialize(record, Json)) } },
                },
            },
        },
    };

    private static string Note(BootstrapRecord record) => record.Role switch
    {
        BootstrapRole.Active => $"This is the active bootstrap cluster of PlatformOps, in epoch {record.Epoch}. This schedule never runs: it only says so.",
        BootstrapRole.HandingOver => $"The standing work is being moved to {record.Peer} ({record.PivotId}). This schedule never runs: it only says so.",
        BootstrapRole.Returning => $"The move to {record.Peer} is being taken back ({record.PivotId}). This schedule never runs: it only says so.",
        BootstrapRole.HandedOver => $"Not active: the bootstrap cluster is {record.Peer}. Workers take nothing here. This schedule never runs: it only says so.",
        _ => $"Not active yet: the standing work of {record.Peer} is being moved here ({record.PivotId}). Workers take nothing here. This schedule never runs: it only says so.",
    };
}

/// <summary>A record as it was read.</summary>
/// <param name="ChangedAt">When it was written, by the clock of the cluster.</param>
/// <param name="Token">For a write that only counts when nobody wrote since.</param>
public sealed record KnownRecord(BootstrapRecord Record, DateTimeOffset ChangedAt, ByteString Token);

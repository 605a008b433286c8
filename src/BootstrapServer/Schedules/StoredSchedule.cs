using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.Schedule.V1;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>One schedule as it is stored.</summary>
internal sealed class StoredSchedule
{
    public string NamespaceId { get; set; } = "";

    public string ScheduleId { get; set; } = "";

    public string CreateRequestId { get; set; } = "";

    /// <summary>What its owner wants, with a canonical spec.</summary>
    public Schedule Schedule { get; set; } = new();

    /// <summary>What it did: counts, running workflows, recent actions.</summary>
    public ScheduleInfo Info { get; set; } = new();

    public Memo? Memo { get; set; }

    public SearchAttributes? SearchAttributes { get; set; }

    /// <summary>Grows with every change by an owner: the conflict token.</summary>
    public long Version { get; set; } = 1;

    /// <summary>Nominal times up to here have been acted on, or passed over on purpose.</summary>
    public DateTimeOffset ProcessedUntil { get; set; }

    /// <summary>Actions that are due and wait for their turn.</summary>
    public List<BufferedAction> Buffer { get; set; } = [];

    /// <summary>Backfills that are not all in the buffer yet, the first asked for first.</summary>
    public List<OngoingBackfill> Backfills { get; set; } = [];

    /// <summary>What the last workflow that succeeded returned, and how the last one failed if it was the last.</summary>
    public Payloads? LastResult { get; set; }

    public Failure? LastFailure { get; set; }
}

/// <summary>One action that is due.</summary>
internal sealed class BufferedAction
{
    public DateTimeOffset Nominal { get; set; }

    public DateTimeOffset Actual { get; set; }

    /// <summary>Unspecified for the policy that the schedule has when its turn comes.</summary>
    public ScheduleOverlapPolicy Overlap { get; set; }

    /// <summary>Asked for by a person: pauses and limits do not count.</summary>
    public bool Manual { get; set; }

    /// <summary>The same for every try of the same action, so that a crash between start and note does not start it twice.</summary>
    public string RequestId { get; set; } = "";
}

/// <summary>What is left of a backfill.</summary>
internal sealed class OngoingBackfill
{
    /// <summary>Nominal times up to and with this one are done.</summary>
    public DateTimeOffset After { get; set; }

    public DateTimeOffset To { get; set; }

    public ScheduleOverlapPolicy Overlap { get; set; }
}

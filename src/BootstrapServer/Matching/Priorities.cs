using Temporalio.Api.Common.V1;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>Priorities that come from several places.</summary>
internal static class Priorities
{
    /// <summary>What an activity or a child says, and for what it leaves open what its workflow says.</summary>
    public static Priority? Merge(Priority? workflow, Priority? own)
    {
        if (workflow is null || own is null)
            return own ?? workflow;
        return new Priority
        {
            PriorityKey = own.PriorityKey != 0 ? own.PriorityKey : workflow.PriorityKey,
            FairnessKey = own.FairnessKey.Length > 0 ? own.FairnessKey : workflow.FairnessKey,
            FairnessWeight = own.FairnessWeight != 0 ? own.FairnessWeight : workflow.FairnessWeight,
        };
    }
}

using Temporalio.Common;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>The search attributes of runbooks. A server must know them before the first run: the command line registers them on the servers
/// that it starts; on others: <c>temporal operator search-attribute create --name Environment --type Keyword</c> and so on.</summary>
public static class RunbookSearchAttributes
{
    public static readonly SearchAttributeKey<string> Environment = SearchAttributeKey.CreateKeyword("Environment");
    public static readonly SearchAttributeKey<string> Region = SearchAttributeKey.CreateKeyword("Region");
    public static readonly SearchAttributeKey<string> Component = SearchAttributeKey.CreateKeyword("Component");

    /// <summary>The type of the runbook that an operator started, also on its children.</summary>
    public static readonly SearchAttributeKey<string> Runbook = SearchAttributeKey.CreateKeyword("Runbook");

    /// <summary>A <see cref="RunbookPhase"/> in camelCase.</summary>
    public static readonly SearchAttributeKey<string> Phase = SearchAttributeKey.CreateKeyword("Phase");
    public static readonly SearchAttributeKey<string> OperationId = SearchAttributeKey.CreateKeyword("OperationId");
    public static readonly SearchAttributeKey<string> PlanHash = SearchAttributeKey.CreateKeyword("PlanHash");

    /// <summary>The fencing token of an environment whose database changes places.</summary>
    public static readonly SearchAttributeKey<string> Epoch = SearchAttributeKey.CreateKeyword("Epoch");

    /// <summary>What came of a look: of <c>FailoverReadiness</c> <c>ready</c> or <c>notReady</c>, of <c>VerifyBackup</c> <c>proved</c>, <c>objectiveMissed</c>, <c>damaged</c> or <c>nothingDue</c>.</summary>
    public static readonly SearchAttributeKey<string> Outcome = SearchAttributeKey.CreateKeyword("Outcome");

    /// <summary>What a restore was measured to lose, for example <c>31.2s</c>.</summary>
    public static readonly SearchAttributeKey<string> MeasuredRpo = SearchAttributeKey.CreateKeyword("MeasuredRpo");

    /// <summary>What a restore was measured to take.</summary>
    public static readonly SearchAttributeKey<string> MeasuredRto = SearchAttributeKey.CreateKeyword("MeasuredRto");

    /// <summary>All of them; each is a Keyword.</summary>
    public static IReadOnlyList<SearchAttributeKey<string>> All { get; } =
        [Environment, Region, Component, Runbook, Phase, OperationId, PlanHash, Epoch, Outcome, MeasuredRpo, MeasuredRto];
}

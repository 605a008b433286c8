using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace PlatformOps.PlatformWorkflows.Tests.Scaling;

/// <summary>A managed database in memory, which has another class at once unless it is held.</summary>
internal sealed partial class FakeScaling
{
    /// <summary>Others may change it too.</summary>
    public string InstanceClass { get; set; } = "db.r6g.large";

    public IReadOnlyList<string>? Classes { get; init; } = ["db.r6g.large", "db.r6g.xlarge", "db.r6g.2xlarge"];

    /// <summary>RDS does not get ready.</summary>
    public bool Modifying { get; set; }

    /// <summary>What a failover is doing; null: there is none.</summary>
    public string? Failover { get; set; }

    /// <summary>The class is meant for a while.</summary>
    public TemporaryClass? TemporaryClass { get; private set; }

    public Task<ClassSight> ObserveDatabaseClassAsync(ObserveDatabaseClassInput input)
    {
        lock (gate)
        {
            var seen = new ObservedDatabaseClass("shop", "postgres", "16.4", "available", InstanceClass, [], null, Standby: true, Offered: true, Failover, null);
            var decision = DatabaseClassRules.Decide(input.Subject.Component, Classes, seen, input.To, atOnce: true);
            return Task.FromResult(new ClassSight(decision, "db-1", TemporaryClass, GuardRails, ClassPlan(decision, input.Until)));
        }
    }

    public async Task<ResizedDatabase> ResizeDatabaseAsync(ResizeDatabaseInput input)
    {
        while (true)
        {
            lock (gate)
            {
                if (InstanceClass != input.From && InstanceClass != input.To)
                    return new(InstanceClass, $"It is {InstanceClass} by now.");
                var failing = failures.TryDequeue(out var failure);
                if (InstanceClass != input.To && (!failing || failure.AfterEffect))
                {
                    Events.Enqueue($"{InstanceClass} to {input.To}");
                    (InstanceClass, TemporaryClass, Because) = (input.To, input.Temporary, input.Reason);
                }

                if (failing)
                    throw new ApplicationFailureException("RDS does not answer.", failure.Type ?? FailureTypes.Unavailable, nonRetryable: failure.Type is not null);
                if (!Modifying)
                    return new(InstanceClass, $"It is {InstanceClass} and available.");
            }

            ActivityExecutionContext.Current.Heartbeat("It is modifying.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), ActivityExecutionContext.Current.CancellationToken);
        }
    }

    private static ProvisioningPlan ClassPlan(DatabaseClassDecision decision, DateTimeOffset? until)
    {
        var plan = Plan(new(decision.Verdict, 0, 0, decision.Why), until);
        var planned = plan.Components[0].Objects[0];
        return plan with
        {
            Hash = $"{decision.From}-{decision.To}",
            Components =
            [
                plan.Components[0] with
                {
                    Objects = [planned with { Address = new("us-east-1", "aws.platformops.io/v1", "DatabaseInstance", null, "shop"), Changes = planned.Changes.Count == 0 ? [] : [new("spec.instanceClass", decision.From, decision.To), .. planned.Changes.Skip(1)] }],
                },
            ],
        };
    }
}

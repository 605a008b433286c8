using CsCheck;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Tests.Failover;

/// <summary>The order of steps, the way back before the point of no return, and that every interruption can be gone on from.</summary>
public class FailoverProgressTests
{
    [Theory]
    [InlineData(FailoverKind.Failover, StackMove.Stays, "Claim Fence Promote Verify Repoint Rebuild Readiness")]
    [InlineData(FailoverKind.Failover, StackMove.Moves, "Claim Fence Promote Verify Repoint Namespaces Scale Canary Rebuild Readiness")]
    [InlineData(FailoverKind.Switchover, StackMove.Stays, "Prepare Fence Claim Promote Verify Repoint Rebuild Readiness")]
    [InlineData(FailoverKind.Failback, StackMove.AfterApproval, "Prepare Fence Claim Promote Verify Repoint Namespaces Scale Canary Rebuild Readiness")]
    public void Goes_in_this_order(FailoverKind kind, StackMove stack, string order)
    {
        var progress = FailoverProgress.Start(kind, stack);
        var gone = new List<FailoverStep>();
        while (progress.Next is { } next)
        {
            gone.Add(next);
            progress = progress.Begin().End();
        }

        Assert.Equal(order, string.Join(' ', gone));
        Assert.Throws<InvalidOperationException>(progress.Begin);
    }

    [Theory]
    [InlineData(FailoverKind.Failover, 0, "")]
    [InlineData(FailoverKind.Failover, 1, "ClaimBack Unfence")]
    [InlineData(FailoverKind.Failover, 2, "ClaimBack Unfence")]
    [InlineData(FailoverKind.Failover, 3, null)]
    [InlineData(FailoverKind.Failover, 7, null)]
    [InlineData(FailoverKind.Switchover, 1, "")]
    [InlineData(FailoverKind.Switchover, 2, "Unfence")]
    [InlineData(FailoverKind.Switchover, 3, "ClaimBack Unfence")]
    [InlineData(FailoverKind.Switchover, 4, null)]
    [InlineData(FailoverKind.Failback, 3, "ClaimBack Unfence")]
    public void Takes_back_what_was_begun_until_the_promotion_was(FailoverKind kind, int begun, string? compensations)
    {
        var progress = FailoverProgress.Start(kind, StackMove.Stays);
        for (var step = 0; step < begun; step++)
            progress = (step > 0 ? progress.End() : progress).Begin();

        Assert.Equal(compensations is null, progress.PointOfNoReturnPassed);
        Assert.Equal(compensations ?? "", string.Join(' ', progress.Compensations));
    }

    [Fact]
    public void Interrupted_anywhere_it_goes_on_with_the_step_that_was_begun_and_ends_with_every_step_once() =>
        Gen.Select(Gen.Enum<FailoverKind>(), Gen.Enum<StackMove>(), Gen.Bool.Array[0, 60]).Sample((kind, stack, crashes) =>
        {
            var kept = FailoverProgress.Start(kind, stack);
            var ended = new List<FailoverStep>();
            var crash = 0;
            while (kept.Next is { } next)
            {
                kept = kept.Begin();
                Assert.Equal(next, kept.Next);
                Assert.Equal(kept, kept.Begin());
                if (crash < crashes.Length && crashes[crash++])
                    continue;
                ended.Add(next);
                var passed = kept.PointOfNoReturnPassed;
                kept = kept.End();
                Assert.True(!passed || kept.PointOfNoReturnPassed);
                Assert.True(!kept.PointOfNoReturnPassed || kept.Compensations.Count == 0);
            }

            Assert.Equal(kept.Steps, ended);
        });

    [Fact]
    public void What_keeps_it_safe_cannot_be_left_out() => Assert.Equal(
        [FailoverStep.Prepare, FailoverStep.Claim, FailoverStep.Fence, FailoverStep.Promote, FailoverStep.Verify],
        Enum.GetValues<FailoverStep>().Where(step => !FailoverProgress.MaySkip(step)));
}

using Microsoft.Extensions.Time.Testing;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class WorkQueueTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Gives_a_key_out_once_however_often_it_is_added()
    {
        using var queue = new WorkQueue<string>(_clock);
        queue.Add("a");
        queue.Add("a");
        queue.Add("b");

        Assert.Equal("a", await queue.TakeAsync(default));
        Assert.Equal("b", await queue.TakeAsync(default));
        queue.Done("a");
        queue.Done("b");
        Assert.True(queue.Idle);
    }

    [Fact]
    public async Task Never_gives_a_key_out_while_it_is_out_and_forgets_no_change_meanwhile()
    {
        using var queue = new WorkQueue<string>(_clock);
        queue.Add("a");
        await queue.TakeAsync(default);
        queue.Add("a");
        var next = queue.TakeAsync(default).AsTask();
        Assert.False(next.IsCompleted);
        Assert.False(queue.Idle);

        queue.Done("a");

        Assert.Equal("a", await next);
    }

    [Fact]
    public async Task Of_several_delays_the_earliest_counts()
    {
        using var queue = new WorkQueue<string>(_clock);
        queue.Add("a", TimeSpan.FromSeconds(5));
        queue.Add("a", TimeSpan.FromSeconds(2));
        queue.Add("a", TimeSpan.FromSeconds(9));
        var next = queue.TakeAsync(default).AsTask();
        Assert.True(queue.Idle);

        _clock.Advance(TimeSpan.FromMilliseconds(1999));
        Assert.False(next.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal("a", await next);
        queue.Done("a");
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(queue.Idle);
    }
}

using PlatformOps.Starter.CommandLine;
using Spectre.Console;

namespace PlatformOps.Starter.Runs;

/// <summary>The tree of a run, redrawn in place; at the end the tree is left on the screen, with the planes in which all is well folded when it is long.</summary>
internal sealed class LiveRunView(Terminal terminal, RunTree tree, string title) : IRunView
{
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(120);

    public async Task<RunSnapshot> ShowAsync(Func<Action<RunSnapshot>, Task<RunSnapshot>> follow)
    {
        var console = terminal.Text;
        var unicode = console.Profile.Capabilities.Unicode;
        RunSnapshot? latest = null;
        var last = await console.Live(new Markup("")).AutoClear(true).Overflow(VerticalOverflow.Crop).StartAsync(async live =>
        {
            var following = follow(snapshot => Volatile.Write(ref latest, snapshot));
            var frame = 0;
            do
            {
                if (Volatile.Read(ref latest) is { } snapshot)
                    live.UpdateTarget(Frame(snapshot with { At = Later(snapshot.At) }, console.Profile.Height - 2, ++frame));
                await Task.WhenAny(following, Task.Delay(FrameTime));
            }
            while (!following.IsCompleted);
            return await following;
        });
        console.Write(Frame(last, console.Profile.Height - 2, frame: 0));
        console.WriteLine();
        return last;

        Markup Frame(RunSnapshot snapshot, int rows, int frame) =>
            new(string.Join('\n', tree.Draw(title, snapshot, console.Profile.Width, rows, unicode, frame))) { Overflow = Overflow.Ellipsis };
    }

    /// <summary>Clocks run on between two looks.</summary>
    private static DateTimeOffset Later(DateTimeOffset seen)
    {
        var present = TimeProvider.System.GetUtcNow();
        return present > seen ? present : seen;
    }
}

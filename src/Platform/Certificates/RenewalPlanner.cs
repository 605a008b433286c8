namespace PlatformOps.Platform.Certificates;

/// <summary>A certificate that is to be renewed.</summary>
/// <param name="Name">What tells it from others.</param>
/// <param name="Authority">Who is asked for the new one.</param>
public sealed record Renewal(string Name, string Authority, DateTimeOffset NotAfter);

/// <summary>Who may ask its authority now, and when to look again.</summary>
/// <param name="Next">When the next one may; null: nobody is waiting.</param>
public sealed record RenewalTurn(IReadOnlyList<Renewal> Now, DateTimeOffset? Next);

/// <summary>Spreads requests over time, so that no authority is asked more often than it is declared to bear. Those that expire first come first.</summary>
public static class RenewalPlanner
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>Who may ask now.</summary>
    /// <param name="waiting">Those that want to.</param>
    /// <param name="perMinute">By authority: how many may in any minute.</param>
    /// <param name="asked">When each authority was asked lately: everything within the last minute.</param>
    public static RenewalTurn Turn(IReadOnlyList<Renewal> waiting, IReadOnlyDictionary<string, int> perMinute, IReadOnlyList<(string Authority, DateTimeOffset At)> asked, DateTimeOffset now)
    {
        var turn = new List<Renewal>();
        DateTimeOffset? next = null;
        foreach (var authority in waiting.GroupBy(renewal => renewal.Authority).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            var lately = asked.Where(request => request.Authority == authority.Key && now - request.At < Window).Select(request => request.At).Order().ToList();
            var room = Math.Max(0, perMinute[authority.Key] - lately.Count);
            var urgent = authority.OrderBy(renewal => renewal.NotAfter).ThenBy(renewal => renewal.Name, StringComparer.Ordinal).ToList();
            turn.AddRange(urgent.Take(room));
            if (urgent.Count > room)
            {
                // When the oldest of the minute is a minute old; those that ask now are as old as now.
                var at = (lately.Count > 0 ? lately[0] : now) + Window;
                next = next is null || at < next ? at : next;
            }
        }

        return new(turn, next);
    }
}

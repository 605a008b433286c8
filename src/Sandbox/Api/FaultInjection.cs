using Microsoft.AspNetCore.Http;

namespace PlatformOps.Sandbox.Api;

/// <summary>The faults that are on, and the dice for them.</summary>
internal sealed class FaultInjection(int seed)
{
    private readonly Lock gate = new();
    private readonly Random dice = new(seed);
    private readonly List<Active> faults = [];

    public void Add(Fault fault)
    {
        lock (gate)
            faults.Add(new(fault) { Left = fault.Times });
    }

    public void Clear()
    {
        lock (gate)
            faults.Clear();
    }

    /// <summary>Holds a call back, or cuts its connection before it has an effect. What else a fault does is for the stand-in to answer.</summary>
    public static async Task BeforeAsync(HttpContext context, Fault? fault)
    {
        if (fault?.Kind == FaultKind.Latency)
            await Task.Delay(fault.Delay, context.RequestAborted);
        if (fault?.Kind != FaultKind.Cut)
            return;
        context.Abort();
        throw new OperationCanceledException(context.RequestAborted);
    }

    /// <summary>The fault that hits a call; null when none does.</summary>
    public Fault? Next(string method, string path, bool changes)
    {
        lock (gate)
        {
            foreach (var active in faults)
            {
                var fault = active.Fault;
                var applies = (fault.Method is null || fault.Method == method) && (fault.Path is null || path.Contains(fault.Path, StringComparison.Ordinal));
                if (!applies || active.Left is 0 || (fault.Probability < 1 && dice.NextDouble() >= fault.Probability)
                    || fault.When?.Invoke(new(method, path, changes)) == false)
                    continue;
                active.Left--;
                return fault;
            }

            return null;
        }
    }

    private sealed class Active(Fault fault)
    {
        public Fault Fault => fault;

        public int? Left { get; set; }
    }
}

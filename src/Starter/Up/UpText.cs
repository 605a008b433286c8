using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;

namespace PlatformOps.Starter.Up;

/// <summary>What <c>up</c> says about itself.</summary>
internal static class UpText
{
    /// <summary>What is running and where, and what to try next.</summary>
    public static void WriteRunning(Terminal terminal, UpStack stack, UpOptions options, DataDirectory data)
    {
        var port = stack.Address == TemporalTarget.DefaultAddress.Replace("localhost", "127.0.0.1", StringComparison.Ordinal) ? "" : $"export TEMPORAL_ADDRESS={stack.Address}";
        terminal.Line();
        terminal.Line("Running:");
        terminal.Line($"  bootstrap server   {stack.Address}   {port}".TrimEnd());
        terminal.Line($"  worker             {(options.Worker ? "in this process" : $"none here: platformops worker --data {data.Path}")}");
        foreach (var region in stack.Regions)
        {
            terminal.Line($"  {region.Name,-18} {region.ApiServer.ToString().TrimEnd('/')}   Kubernetes API (sandbox)");
            terminal.Line($"  {"",-18} {UpStack.FrontendOf(region)}   the platform's own Temporal (sandbox)");
        }

        terminal.Line($"  data               {data.Path}");
        terminal.Line();
        terminal.Line("Try:");
        terminal.Line($"  platformops status {options.Environment}");
        terminal.Line($"  platformops plan {options.Environment}");
        terminal.Line($"  kubectl --kubeconfig {data.Kubeconfig(stack.Regions.First().Name)} get pods -A");
        terminal.Line($"  temporal workflow list --address {stack.Address}");
        terminal.Line();
        terminal.Line($"Ctrl-C ends it; the platform stays in {data.Path} and is found again by the next `up`.");
    }
}

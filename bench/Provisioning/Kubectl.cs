using System.ComponentModel;
using System.Diagnostics;

namespace PlatformOps.Bench.Provisioning;

/// <summary>The official command line of Kubernetes.</summary>
internal static class Kubectl
{
    /// <summary>Whether there is a <c>kubectl</c>.</summary>
    public static async Task<bool> IsThereAsync()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("kubectl", ["version", "--client"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            await process.WaitForExitAsync();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    /// <returns>What it said.</returns>
    public static async Task<string> RunAsync(string kubeconfig, params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo("kubectl", ["--kubeconfig", kubeconfig, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = process.StandardOutput.ReadToEndAsync();
        var complained = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await said : throw new InvalidOperationException($"kubectl {string.Join(' ', args)} ended with {process.ExitCode}: {complained}");
    }
}

namespace PlatformOps.Sandbox;

/// <summary>A running sandbox: a Kubernetes cluster per region, on loopback. Its controllers act through the Kubernetes API, as real ones do.</summary>
public sealed class SandboxHost : IAsyncDisposable
{
    private readonly Dictionary<string, SandboxRegion> regions = [];

    private SandboxHost()
    {
    }

    /// <summary>By name.</summary>
    public IReadOnlyDictionary<string, SandboxRegion> Regions => regions;

    /// <summary>Starts every region and returns when their APIs answer. The world is as the data folder has it.</summary>
    /// <exception cref="ArgumentException">The options cannot work; the message says which.</exception>
    public static async Task<SandboxHost> StartAsync(SandboxOptions options, CancellationToken ct = default)
    {
        if (options.Regions.Count == 0)
            throw new ArgumentException("Regions is empty: a sandbox has at least one region.", nameof(options));
        if (options.TimeScale is < 0 or double.NaN)
            throw new ArgumentException($"TimeScale is {options.TimeScale}: 0 or more is expected.", nameof(options));
        if (options.Services.FirstOrDefault(service => !options.Regions.Contains(service.Region)) is { } lost)
            throw new ArgumentException($"Services names the region {lost.Region}, which is not one of {string.Join(", ", options.Regions)}.", nameof(options));
        if (options.DataFolder is { } folder)
            Directory.CreateDirectory(folder);
        var host = new SandboxHost();
        try
        {
            foreach (var region in options.Regions)
                host.regions[region] = await SandboxRegion.StartAsync(region, options, ct);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var region in regions.Values)
            await region.DisposeAsync();
    }
}

namespace PlatformOps.Sandbox.Aws;

/// <summary>How the sandbox's AWS behaves.</summary>
public sealed record AwsStandInOptions
{
    /// <summary>Where everything is kept; null keeps it in memory. Default null.</summary>
    public string? DataFile { get; init; }

    /// <summary>Decides which calls faults hit. Default 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Multiplies how long databases take to be created, changed and promoted; 0: nothing takes any time. Default 1: minutes, as in reality.</summary>
    public double TimeScale { get; init; } = 1;

    /// <summary>For how long databases and buckets that are new are missing from lists, although they can be asked for by name. Default zero.</summary>
    public TimeSpan ListLag { get; init; }

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Told of every call that may change something, by its operation (of S3 with the bucket), before it is carried out; null: nobody is.</summary>
    public Action<string>? Changing { get; init; }
}

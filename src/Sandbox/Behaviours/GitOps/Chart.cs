namespace PlatformOps.Sandbox.Behaviours.GitOps;

/// <summary>What the sandbox knows of a Helm chart: enough to make what it installs come to life. One YAML file each under <c>Charts/</c>.</summary>
internal sealed record Chart
{
    public required string Name { get; init; }

    /// <summary>The versions that its repository has, each by how it starts: <c>1.16</c> means every 1.16.x. A leading <c>v</c> does not count.</summary>
    public required IReadOnlyList<string> Versions { get; init; }

    /// <summary>At how many characters it cuts its full name.</summary>
    public int LongestFullName { get; init; } = 63;

    /// <summary>The kinds that it brings.</summary>
    public IReadOnlyList<ChartKind> Crds { get; init; } = [];

    public IReadOnlyList<ChartWorkload> Workloads { get; init; } = [];

    /// <summary>Objects of its own kinds.</summary>
    public IReadOnlyList<ChartObject> Objects { get; init; } = [];

    public bool Has(string version)
    {
        var number = version.TrimStart('v');
        return Versions.Any(known => number == known || number.StartsWith(known + ".", StringComparison.Ordinal));
    }
}

/// <summary>A kind of custom object, <c>group/version/Kind</c>.</summary>
internal sealed record ChartKind
{
    public required string Kind { get; init; }

    /// <summary>Whether its objects live outside namespaces.</summary>
    public bool ClusterWide { get; init; }

    /// <summary>Whether status is written through a subresource.</summary>
    public bool Status { get; init; } = true;
}

/// <summary>A Deployment, StatefulSet or DaemonSet, with the Service in front of it.</summary>
internal sealed record ChartWorkload
{
    public required string Kind { get; init; }

    /// <summary><c>${release}</c> is the release's name, <c>${fullname}</c> what Helm makes of it and the chart's.</summary>
    public required string Name { get; init; }

    /// <summary>Without tag: the tag is the chart's version.</summary>
    public required string Image { get; init; }

    /// <summary>Where the values say how many there are, <c>controller.replicaCount</c>; the default is 1.</summary>
    public string? Replicas { get; init; }

    /// <summary>Where the values say that there is none when they say false.</summary>
    public string? EnabledBy { get; init; }

    /// <summary>Where the values have a list of its environment variables.</summary>
    public string? Env { get; init; }

    /// <summary>Where the values name a Secret that it has as environment.</summary>
    public string? Secret { get; init; }

    /// <summary>Its ports; with any it has a Service.</summary>
    public IReadOnlyList<int> Ports { get; init; } = [];

    /// <summary>Where its pods serve TLS for the hosts of Ingresses; null: they do not.</summary>
    public int? Ingress { get; init; }

    /// <summary>The Service's name, if it is not the workload's.</summary>
    public string? Service { get; init; }
}

/// <summary>An object of a kind that the chart brings itself.</summary>
internal sealed record ChartObject
{
    /// <summary><c>group/version/Kind</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>As a workload's.</summary>
    public required string Name { get; init; }

    /// <summary>Where the values have its spec.</summary>
    public required string Spec { get; init; }

    /// <summary>Where the values say that there is none when they say false.</summary>
    public string? EnabledBy { get; init; }
}

using k8s;
using k8s.KubeConfigModels;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Which cluster, and as whom: for messages.</summary>
/// <param name="Context">The kubeconfig's context; <c>in-cluster</c> for the service account of the pod that we run in.</param>
/// <param name="Address">Of the API server.</param>
/// <param name="Source">Where the credentials come from: a file, or the pod's service account.</param>
public sealed record KubernetesAccount(string Region, string Context, string Address, string Source);

/// <summary>Finds how a region's cluster is reached.</summary>
internal static class KubernetesConfiguration
{
    public static (KubernetesClientConfiguration Configuration, KubernetesAccount Account) Read(RegionConnection connection, string region, string defaultContext)
    {
        var files = Files(connection);
        if (files.Count == 0)
            return InCluster(region);
        var context = connection.Context ?? defaultContext;
        var known = new List<string>();
        foreach (var file in files)
        {
            var kubeconfig = Load(file, region);
            if (kubeconfig.Contexts?.Any(candidate => candidate.Name == context) == true)
                return Use(kubeconfig, file, context, region);
            known.AddRange((kubeconfig.Contexts ?? []).Select(candidate => candidate.Name));
        }

        throw new AdapterException(
            AdapterFailureKind.Rejected,
            $"The kubeconfig {string.Join(Path.PathSeparator, files)} has no context {context} for {region}; it has: {string.Join(", ", known.DefaultIfEmpty("none"))}. "
            + $"State the context in the connections file (regions.{region}.context) or in the specification (kubernetesContext).");
    }

    private static K8SConfiguration Load(string file, string region)
    {
        try
        {
            return KubernetesClientConfiguration.LoadKubeConfig(new FileInfo(file)) ?? new();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            throw Unusable(file, region, failure);
        }
    }

    private static (KubernetesClientConfiguration Configuration, KubernetesAccount Account) Use(K8SConfiguration kubeconfig, string file, string context, string region)
    {
        try
        {
            var configuration = KubernetesClientConfiguration.BuildConfigFromConfigObject(kubeconfig, context);
            return (configuration, new(region, context, configuration.Host, file));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            throw Unusable(file, region, failure);
        }
    }

    private static AdapterException Unusable(string file, string region, Exception failure) => new(
        AdapterFailureKind.Rejected,
        $"The kubeconfig {file} of {region} cannot be used: {failure.Message.TrimEnd('.')}. Correct it, or state another one for {region} in the connections file.", failure);

    private static IReadOnlyList<string> Files(RegionConnection connection)
    {
        if (connection.Kubeconfig is { } stated)
            return [stated];
        if (Environment.GetEnvironmentVariable("KUBECONFIG") is { Length: > 0 } variable)
            return variable.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var usual = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".kube", "config");
        return File.Exists(usual) ? [usual] : [];
    }

    private static (KubernetesClientConfiguration Configuration, KubernetesAccount Account) InCluster(string region)
    {
        if (!KubernetesClientConfiguration.IsInCluster())
            throw new AdapterException(
                AdapterFailureKind.Rejected,
                $"There is no kubeconfig for {region}: none is stated in the connections file, KUBECONFIG is not set, ~/.kube/config does not exist and this is no pod. State one.");
        var configuration = KubernetesClientConfiguration.InClusterConfig();
        return (configuration, new(region, "in-cluster", configuration.Host, "the pod's service account"));
    }
}

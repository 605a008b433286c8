using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Backups.ClusterState;

namespace PlatformOps.Activities.Backups;

/// <summary>Writes every object of a cluster that can be made again into an archive, kind by kind.</summary>
/// <param name="about">What the manifest says besides: parts and what was left out are filled in, and what could not be read is added.</param>
internal sealed class StateExport(KubernetesConnection connection, StateArchive archive, ArchiveManifest about, TimeProvider time)
{
    private static readonly ServedResource Namespaces = new(new("v1", "Namespace"), "namespaces", false, [], true);

    private readonly WholeObjects objects = new(connection);

    /// <summary>Exports, and finishes the archive.</summary>
    /// <param name="done">Parts that an earlier attempt wrote, and that are still there.</param>
    /// <param name="written">Told of everything that is written by now, after each kind that was written.</param>
    /// <exception cref="AdapterException">The cluster cannot be read. A kind that cannot be read although the cluster can makes the archive partial.</exception>
    public async Task<ArchiveManifest> RunAsync(IReadOnlyList<StatePart> done, Func<IReadOnlyList<StatePart>, Task> written, CancellationToken ct)
    {
        var served = await new ClusterDiscovery(connection).ReadAsync(ct);
        var chosen = ExportedKinds.Of(served.Resources);
        var ending = await EndingAsync(ct);
        var (parts, unread) = (new List<StatePart>(), new List<string>(served.Unread));
        foreach (var resource in chosen.Kinds)
        {
            try
            {
                if (done.FirstOrDefault(part => part.Part.Kind == resource.Kind) is { } kept)
                {
                    parts.Add(kept);
                    continue;
                }

                parts.Add(await WriteAsync(resource, ending, ct));
                await written(parts);
            }
            // This one kind cannot be read, and all others can.
            catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Forbidden or AdapterFailureKind.NotServed or AdapterFailureKind.Rejected)
            {
                unread.Add($"{resource.Name} could not be read: {failure.Message}");
            }
        }

        return await archive.FinishAsync(about with
        {
            KubernetesVersion = served.Version,
            FinishedAt = time.GetUtcNow(),
            Parts = [.. parts.Where(part => part.Part.Objects > 0).Select(part => part.Part)],
            LeftOut = [.. chosen.LeftOut, .. parts.SelectMany(part => part.LeftOut)],
            Unread = [.. about.Unread, .. unread],
        }, ct);
    }

    private async Task<StatePart> WriteAsync(ServedResource resource, IReadOnlySet<string> ending, CancellationToken ct)
    {
        var leftOut = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var part = await archive.WriteAsync(resource, KeptAsync(resource, ending, leftOut, ct), ct);
        // An empty file says nothing that the manifest does not say.
        if (part.Objects == 0)
            File.Delete(archive.FileOf(part.Name));
        return new(part, [.. leftOut.Select(left => new LeftOut(resource.Name, left.Key, left.Value))]);
    }

    private async IAsyncEnumerable<JsonObject> KeptAsync(ServedResource resource, IReadOnlySet<string> ending, IDictionary<string, int> leftOut, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var live in objects.ListAsync(resource, ct))
        {
            if (ExportRules.WhyLeftOut(live, ending) is not { } reason)
                yield return ExportRules.Kept(live);
            else
                leftOut[reason] = (leftOut.TryGetValue(reason, out var count) ? count : 0) + 1;
        }
    }

    private async Task<HashSet<string>> EndingAsync(CancellationToken ct)
    {
        var ending = new HashSet<string>();
        await foreach (var space in objects.ListAsync(Namespaces, ct))
        {
            if (space["metadata"]?["deletionTimestamp"] is not null)
                ending.Add((string)space["metadata"]!["name"]!);
        }

        return ending;
    }
}

/// <summary>A part that was written, with what of its kind was left out.</summary>
internal sealed record StatePart(ArchivePart Part, IReadOnlyList<LeftOut> LeftOut);

using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>The buckets in which the Elasticsearch that is played keeps its snapshots, and what goes wrong there. Several clusters may have the same ones.</summary>
public sealed class SearchStorage
{
    private readonly Dictionary<string, SortedDictionary<string, SearchSnapshot>> places = [];
    private readonly Lock gate = new();

    /// <summary>Why the bucket does not serve, in the words of its client; null: it does.</summary>
    public string? Refusal { get; set; }

    /// <summary>While it is true snapshots are not finished.</summary>
    public bool SnapshotsHeld { get; set; }

    /// <summary>While it is true shards stay on their way out of a snapshot.</summary>
    public bool RestoresHeld { get; set; }

    /// <summary>Index of which the next snapshot does not get the shards; null: it gets all.</summary>
    public string? Unreadable { get; set; }

    /// <summary>Whether the next snapshot fails as a whole.</summary>
    public bool Fails { get; set; }

    /// <summary>What shards that are restored fail with; null: nothing.</summary>
    public string? RestoreFailure { get; set; }

    /// <summary>In bytes, of one node.</summary>
    public long DiskAvailable { get; set; } = 40L << 30;

    /// <summary>In bytes, of one node.</summary>
    public long DiskTotal { get; set; } = 50L << 30;

    /// <summary>By how much the clock of the cluster is ahead.</summary>
    public TimeSpan Ahead { get; set; }

    /// <summary>How many snapshots were ever begun.</summary>
    public int Begun { get; internal set; }

    /// <summary>Names of the snapshots that lie there, with what became of each.</summary>
    public IReadOnlyDictionary<string, string> Snapshots
    {
        get
        {
            lock (gate)
                return places.Values.SelectMany(place => place).ToDictionary(entry => entry.Key, entry => entry.Value.State);
        }
    }

    /// <summary>Flips a byte in what a snapshot has of an index.</summary>
    public void Damage(string snapshot, string index)
    {
        lock (gate)
            Find(snapshot).Damaged.Add(index);
    }

    /// <summary>Removes a snapshot, by whoever may write into the bucket.</summary>
    public void Remove(string snapshot)
    {
        lock (gate)
        {
            foreach (var place in places.Values)
                place.Remove(snapshot);
        }
    }

    /// <summary>Makes a snapshot look as if a later version had written it.</summary>
    public void Outdate(string snapshot)
    {
        lock (gate)
            Find(snapshot).State = "INCOMPATIBLE";
    }

    internal T At<T>(string place, Func<SortedDictionary<string, SearchSnapshot>, T> work)
    {
        lock (gate)
            return work(places.TryGetValue(place, out var there) ? there : places[place] = []);
    }

    private SearchSnapshot Find(string name) => places.Values.Select(place => place.GetValueOrDefault(name)).OfType<SearchSnapshot>().First();
}

/// <summary>What a bucket has of a snapshot.</summary>
internal sealed class SearchSnapshot
{
    public string Uuid { get; } = SearchAnswers.NewId();

    public required SortedDictionary<string, SearchIndex> Indices { get; init; }

    /// <summary>Indices of which it has nothing.</summary>
    public required IReadOnlyList<string> Missing { get; init; }

    /// <summary>Indices of which it has something else than was written.</summary>
    public HashSet<string> Damaged { get; } = [];

    public required JsonNode? Metadata { get; init; }

    public required DateTimeOffset Started { get; init; }

    public DateTimeOffset? Ended { get; set; }

    /// <summary>As the API says it.</summary>
    public required string State { get; set; }

    /// <summary>What it will be when nothing holds it up.</summary>
    public required string Becomes { get; init; }
}

using System.Globalization;

namespace PlatformOps.Adapters.Codec;

/// <summary>The keys of the payload codec: all that decode, and the one that encodes. They are read again while the process runs, so that a key can be added and another one made active without a restart.</summary>
/// <param name="read">Reads what there is now.</param>
public sealed class CodecKeys(Func<CodecKeyRing> read, TimeProvider clock)
{
    /// <summary>For how long keys are taken as they were read. A key that is not known is looked for sooner.</summary>
    public static readonly TimeSpan ReadEvery = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan MissedEvery = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private CodecKeyRing ring = read();
    private long readAt = clock.GetTimestamp();

    /// <summary>As they were read last.</summary>
    /// <remarks>Keys that cannot be read any more, because a file is being replaced, are no reason to encode nothing or in plain text: those of before count.</remarks>
    public CodecKeyRing Current => After(ReadEvery);

    /// <returns>Null: there is no such key here, not even by now.</returns>
    public CodecKey? Find(string id) => Current.Find(id) ?? After(MissedEvery).Find(id);

    private CodecKeyRing After(TimeSpan age)
    {
        lock (gate)
        {
            if (clock.GetElapsedTime(readAt) < age)
                return ring;
            readAt = clock.GetTimestamp();
            try
            {
                ring = read();
            }
            catch (AdapterException)
            {
                // It is tried again; a process that starts says what is wrong with them.
            }

            return ring;
        }
    }
}

/// <summary>Keys as they stand at one moment.</summary>
public sealed class CodecKeyRing
{
    private readonly IReadOnlyList<CodecKey> inOrder;
    private readonly Dictionary<string, CodecKey> keys;

    /// <param name="keys">The newest last, where it is known.</param>
    /// <param name="active">The id of the key that encodes.</param>
    /// <param name="where">What is to be corrected if it is wrong.</param>
    /// <exception cref="AdapterException">The active key is not among them.</exception>
    public CodecKeyRing(IEnumerable<CodecKey> keys, string active, string where)
    {
        inOrder = [.. keys];
        this.keys = inOrder.ToDictionary(key => key.Id);
        Active = this.keys.GetValueOrDefault(active)
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"{where}: the key '{active}' is to encode, and there is none of that id. Known: {(this.keys.Count == 0 ? "none" : string.Join(", ", this.keys.Keys.Order(StringComparer.Ordinal)))}.");
    }

    /// <summary>The one that encodes.</summary>
    public CodecKey Active { get; }

    /// <summary>The one that was added last.</summary>
    public CodecKey Newest => inOrder[^1];

    /// <summary>There is a newer key than the one that encodes: it is being brought to everybody, or is everywhere.</summary>
    public bool IsHandedOut => Newest != Active;

    /// <summary>All, in the order of ids.</summary>
    public IEnumerable<CodecKey> All => keys.Values.OrderBy(key => key.Id, StringComparer.Ordinal);

    public CodecKey? Find(string id) => keys.GetValueOrDefault(id);

    /// <summary>These keys and a new one, named by the day, which does not encode yet.</summary>
    public CodecKeyRing WithAnother(DateOnly day)
    {
        var (name, number) = (day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), 1);
        var id = name;
        while (keys.ContainsKey(id))
            id = string.Create(CultureInfo.InvariantCulture, $"{name}-{++number}");
        return new([.. inOrder, CodecKey.Read(id, CodecKey.Generate().Reveal(), id)], Active.Id, id);
    }

    /// <summary>These keys, of which the newest one encodes.</summary>
    public CodecKeyRing WithNewestActive() => new(inOrder, Newest.Id, Newest.Id);

    /// <summary>What <see cref="CodecKeyFiles.ReadText"/> reads.</summary>
    public SecretText Write() => new(string.Join(',', inOrder.Select(key => $"{key.Id}:{Convert.ToBase64String(key.Value)}").Concat(IsHandedOut ? [$"{CodecKeyFiles.Active}={Active.Id}"] : [])));
}

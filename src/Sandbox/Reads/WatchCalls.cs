using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Storage;

namespace PlatformOps.Sandbox.Reads;

/// <summary>One line of a watch.</summary>
/// <param name="Type"><c>ADDED</c>, <c>MODIFIED</c>, <c>DELETED</c>, <c>BOOKMARK</c> or <c>ERROR</c>.</param>
internal sealed record WatchEvent(string Type, JsonObject Object);

/// <summary>Tells what happens to the objects of a selection.</summary>
internal sealed class WatchCalls(ObjectStore store, TimeProvider time)
{
    /// <summary>Between two bookmarks when nothing happens.</summary>
    private static readonly TimeSpan BookmarkInterval = TimeSpan.FromSeconds(30);

    /// <summary>Events until the time is up or the caller goes. Starts with all objects when no version is given, or when that is asked for.</summary>
    public async IAsyncEnumerable<WatchEvent> WatchAsync(
        Selection selection, IReadOnlyDictionary<string, string> query, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var bookmarks = query.GetValueOrDefault("allowWatchBookmarks") is "true" or "1";
        var everything = query.GetValueOrDefault("sendInitialEvents") is "true" or "1";
        var from = query.GetValueOrDefault("resourceVersion") ?? "";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        if (int.TryParse(query.GetValueOrDefault("timeoutSeconds"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            limit.CancelAfter(TimeSpan.FromSeconds(seconds));

        // What is not read is bounded by the history that the store keeps; a reader that slow is better off listing again.
        var events = Channel.CreateBounded<StoreEvent>(new BoundedChannelOptions(ObjectStore.HistoryLength) { SingleReader = true });
        IDisposable? subscription;
        IReadOnlyList<StoredObject> initial = [];
        long version;
        lock (store.Gate)
        {
            version = store.Version;
            if (everything || from is "" or "0")
                initial = [.. store.List(selection.Kind.StorageKey, selection.Namespace).Objects.Where(selection.Includes)];
            else if (!long.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out version))
                throw ApiFailure.BadRequest($"resourceVersion: Invalid value: \"{from}\": must be a number");
            subscription = store.Subscribe(selection.Kind.StorageKey, version, change =>
            {
                if (!events.Writer.TryWrite(change))
                    events.Writer.TryComplete();
            });
        }

        if (subscription is null)
        {
            yield return new("ERROR", ApiFailure.Expired($"too old resource version: {from} ({store.Version})").ToStatus());
            yield break;
        }

        using (subscription)
        {
            foreach (var item in initial)
                yield return new("ADDED", Served(selection, item));
            if (everything && bookmarks)
                yield return Bookmark(selection, version, initialEnd: true);
            while (true)
            {
                var next = await NextAsync(events.Reader, limit.Token);
                if (next is { End: true })
                    yield break;
                if (next.Event is not { } change)
                {
                    lock (store.Gate)
                    {
                        // A bookmark must not be ahead of a change that has not been told yet.
                        if (events.Reader.Count == 0)
                            version = store.Version;
                    }

                    if (bookmarks)
                        yield return Bookmark(selection, version, initialEnd: false);
                }
                else if (Seen(selection, change) is { } seen)
                {
                    version = change.ResourceVersion;
                    yield return seen;
                }
            }
        }
    }

    /// <summary>The object as the version that was asked for.</summary>
    public static JsonObject Served(Selection selection, StoredObject item)
    {
        var value = (JsonObject)item.Value.DeepClone();
        value["apiVersion"] = selection.Kind.ApiVersion;
        return value;
    }

    private static WatchEvent? Seen(Selection selection, StoreEvent change)
    {
        var now = change.Type != StoreEventType.Deleted && selection.Includes(change.Object);
        var before = change.Previous is not null && selection.Includes(change.Previous);
        return (before, now) switch
        {
            (false, true) => new("ADDED", Served(selection, change.Object)),
            (true, true) => new("MODIFIED", Served(selection, change.Object)),
            (true, false) => new("DELETED", Served(selection, change.Object)),
            _ => null,
        };
    }

    private static WatchEvent Bookmark(Selection selection, long version, bool initialEnd)
    {
        var metadata = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture), ["creationTimestamp"] = null };
        if (initialEnd)
            metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        return new("BOOKMARK", new JsonObject { ["kind"] = selection.Kind.Kind, ["apiVersion"] = selection.Kind.ApiVersion, ["metadata"] = metadata });
    }

    /// <summary>The next event; none when it is time for a bookmark; the end when the watch is over.</summary>
    private async Task<(StoreEvent? Event, bool End)> NextAsync(ChannelReader<StoreEvent> events, CancellationToken ct)
    {
        if (events.TryRead(out var ready))
            return (ready, false);
        using var quiet = new CancellationTokenSource(BookmarkInterval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(quiet.Token, ct);
        try
        {
            return await events.WaitToReadAsync(either.Token) && events.TryRead(out var change) ? (change, false) : (null, true);
        }
        catch (OperationCanceledException)
        {
            return (null, !quiet.IsCancellationRequested || ct.IsCancellationRequested);
        }
    }
}

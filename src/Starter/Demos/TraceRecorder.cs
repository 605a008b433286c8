using System.Collections.Concurrent;
using System.Diagnostics;

namespace PlatformOps.Starter.Demos;

/// <summary>Hears every trace of this process, as an exporter of all sources would: of HTTP clients, of Npgsql, of the SDKs of AWS and Temporal, and whatever is added. Keeps each text once, so that a thousand equal
/// spans cost one.</summary>
internal sealed class TraceRecorder : IDisposable
{
    private readonly ConcurrentDictionary<string, bool> lines = new();
    private readonly ConcurrentDictionary<string, bool> sources = new();
    private readonly ActivityListener listener;

    public TraceRecorder()
    {
        listener = new()
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Record,
        };
        ActivitySource.AddActivityListener(listener);
    }

    /// <summary>Who was heard, by the names of sources.</summary>
    public IReadOnlyCollection<string> Sources => [.. sources.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Names, tags, events, baggage and states of spans, one text a line.</summary>
    public string Text => string.Join('\n', lines.Keys.Order(StringComparer.Ordinal));

    /// <inheritdoc/>
    public void Dispose() => listener.Dispose();

    private void Record(Activity activity)
    {
        sources[activity.Source.Name] = true;
        Add("operation", activity.OperationName);
        Add("name", activity.DisplayName);
        Add("status", activity.StatusDescription);
        Add("state", activity.TraceStateString);
        foreach (var (key, value) in activity.TagObjects)
            Add(key, value);
        foreach (var (key, value) in activity.Baggage)
            Add(key, value);
        foreach (var happened in activity.Events)
        {
            Add("event", happened.Name);
            foreach (var (key, value) in happened.Tags)
                Add($"{happened.Name}.{key}", value);
        }

        foreach (var (key, value) in activity.Links.SelectMany(link => link.Tags ?? []))
            Add(key, value);

        void Add(string key, object? value)
        {
            // An array of texts is a tag too.
            var text = value is System.Collections.IEnumerable list and not string ? string.Join(", ", list.Cast<object?>()) : value?.ToString();
            if (!string.IsNullOrEmpty(text))
                lines[$"{activity.Source.Name} {key}={text}"] = true;
        }
    }
}

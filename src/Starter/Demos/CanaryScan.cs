using System.Text;
using System.Text.Encodings.Web;
using Google.Protobuf;
using Temporalio.Client;

namespace PlatformOps.Starter.Demos;

/// <summary>Looks for values of secrets where they must never be: histories with inputs, results and failures, memos, search attributes, files, logs, metrics, traces, console output. Looks for bytes, so that neither
/// an encoding of the whole nor of a part hides one.</summary>
internal sealed class CanaryScan
{
    private readonly List<(string Name, byte[] Needle)> needles = [];
    private readonly HashSet<string> found = [];

    /// <summary>Where something was found, as <c>place: name</c>; sorted.</summary>
    public IReadOnlyList<string> Found => [.. found.Order(StringComparer.Ordinal)];

    /// <summary>A value to look for: as it is, as JSON writes it (a <c>+</c> or a quote may be escaped there), and each of them as Kubernetes encodes it.</summary>
    /// <param name="name">What it is called where it is found.</param>
    public void LookFor(string name, string value)
    {
        foreach (var written in new[] { value, JavaScriptEncoder.Default.Encode(value), JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value) }.Distinct(StringComparer.Ordinal))
            LookForText(name, written);
    }

    private void LookForText(string name, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        needles.Add((name, bytes));
        // In the middle of other text an encoding begins at one of three places; what two neighbours share with a value is left out.
        for (var shift = 0; shift < 3; shift++)
        {
            var encoded = Convert.ToBase64String([.. Enumerable.Repeat((byte)'x', shift), .. bytes]);
            var (from, to) = ((shift * 8 + 5) / 6, (shift + bytes.Length) * 8 / 6);
            if (to - from >= 12)
                needles.Add((name, Encoding.ASCII.GetBytes(encoded[from..to])));
        }
    }

    /// <summary>A private key in PEM to look for: as it is, and by the lines that it is written in, since a line break is written in many ways.</summary>
    /// <param name="name">What it is called where it is found.</param>
    public void LookForKey(string name, string pem)
    {
        var lines = pem.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("---", StringComparison.Ordinal)).ToList();
        foreach (var line in lines)
            LookFor(name, line);
        needles.Add((name, Convert.FromBase64String(string.Concat(lines))));
    }

    /// <summary>Looks at some bytes.</summary>
    public void Look(string place, ReadOnlySpan<byte> bytes)
    {
        foreach (var (name, needle) in needles)
        {
            if (bytes.IndexOf(needle) >= 0)
                found.Add($"{place}: {name}");
        }
    }

    /// <inheritdoc cref="Look(string, ReadOnlySpan{byte})"/>
    public void Look(string place, string text) => Look(place, Encoding.UTF8.GetBytes(text));

    /// <summary>Looks at a file, also while somebody writes it; one that is not there has nothing.</summary>
    public async Task LookAtFileAsync(string place, string file, CancellationToken ct)
    {
        if (!File.Exists(file))
            return;
        await using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var copy = new MemoryStream();
        await open.CopyToAsync(copy, ct);
        Look(place, copy.GetBuffer().AsSpan(0, (int)copy.Length));
    }

    /// <summary>Looks at every run of a namespace: each event of its history, its memo and its search attributes.</summary>
    /// <returns>How many runs there are.</returns>
    public async Task<int> LookAtRunsAsync(ITemporalClient client, CancellationToken ct)
    {
        var runs = 0;
        await foreach (var run in client.ListWorkflowsAsync("").WithCancellation(ct))
        {
            runs++;
            var described = await client.WorkflowService.DescribeWorkflowExecutionAsync(new() { Namespace = client.Options.Namespace, Execution = new() { WorkflowId = run.Id, RunId = run.RunId } }, new() { CancellationToken = ct });
            Look("memos and search attributes", described.ToByteArray());
            await foreach (var happened in client.GetWorkflowHandle(run.Id, run.RunId).FetchHistoryEventsAsync().WithCancellation(ct))
                Look("histories", happened.ToByteArray());
        }

        return runs;
    }
}

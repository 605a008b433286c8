using System.Text.Json;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Cuts a ledger into pages that are small enough for a workflow's history.</summary>
internal static class LedgerPages
{
    /// <summary>Bytes of JSON in a page; a payload is to stay below 100 KB.</summary>
    private const int Largest = 80_000;

    public static LedgerPage After(int count, IReadOnlyList<LedgerEntry> entries)
    {
        var (page, size) = (new List<LedgerEntry>(), 0);
        foreach (var entry in entries.Skip(count))
        {
            size += JsonSerializer.SerializeToUtf8Bytes(entry, PlatformOpsDataConverter.Json).Length;
            if (size > Largest && page.Count > 0)
                break;
            page.Add(entry);
        }

        return new(page, count + page.Count < entries.Count ? count + page.Count : null);
    }
}

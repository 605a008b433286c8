using PlatformOps.Adapters.Aws.Sdk.Route53.Model;

namespace PlatformOps.Adapters.Aws.Dns;

/// <summary>DNS zones and their records in Route 53, which is one service for all regions.</summary>
public sealed class HostedZones(AwsConnection connection)
{
    /// <summary>Every zone that we create says so before it has tags.</summary>
    private const string ReferencePrefix = "platformops/";

    /// <summary>The public zone of this name that is ours; null when there is none. Another one's zone of the same name is not an answer.</summary>
    public async Task<DnsZone?> FindAsync(string name, AwsOwner owner, CancellationToken ct)
    {
        foreach (var zone in await NamedAsync(name, ct))
            if (owner.WhyForeign(await TagsAsync(zone.Id!, ct)) is null)
                return new(Short(zone.Id!), Plain(zone.Name));
        return null;
    }

    /// <summary>Creates a public zone, or adopts our own.</summary>
    /// <param name="operationId">Also the caller reference: Route 53 itself refuses a second zone for it.</param>
    public async Task<(DnsZone Zone, Creation Creation)> EnsureAsync(string name, AwsOwner owner, string operationId, CancellationToken ct)
    {
        var reference = $"{ReferencePrefix}{operationId}/{name}";
        foreach (var zone in await NamedAsync(name, ct))
        {
            var tags = await TagsAsync(zone.Id!, ct);
            // Ours without tags: an earlier try died between creating and tagging.
            if (zone.CallerReference == reference && tags.Count == 0)
                await TagAsync(zone.Id!, owner, operationId, ct);
            else if (owner.WhyForeign(tags) is { } why)
                throw connection.Foreign($"hosted zone {name} ({Short(zone.Id!)})", why);
            return (new(Short(zone.Id!), Plain(zone.Name)), Creation.Adopted);
        }

        // "Exists" says that this very reference was used before: the zone cannot be seen yet, or its answer was lost. The caller looks again.
        var created = await connection.CallAsync("create", $"hosted zone {name}", token => connection.Route53.CreateHostedZoneAsync(
            new() { Name = name, CallerReference = reference, HostedZoneConfig = new() { Comment = "Managed by platformops", PrivateZone = false } }, token), ct);
        var id = created.HostedZone?.Id ?? throw new AdapterException(AdapterFailureKind.Unavailable, $"Route 53 gave no id for hosted zone {name}. Retry.");
        await TagAsync(id, owner, operationId, ct);
        return (new(Short(id), Plain(created.HostedZone.Name)), Creation.Created);
    }

    /// <summary>Deletes our zone, which must be empty. False: it is gone.</summary>
    public async Task<bool> DeleteAsync(string name, AwsOwner owner, CancellationToken ct)
    {
        if (await FindAsync(name, owner, ct) is not { } zone)
            return false;
        return await connection.FindAsync($"hosted zone {name}", token => connection.Route53.DeleteHostedZoneAsync(new() { Id = zone.Id }, token), ct) is not null;
    }

    /// <summary>All public zones of the account, whoever made them.</summary>
    public async Task<IReadOnlyList<DnsZone>> ListAsync(CancellationToken ct)
    {
        List<DnsZone> zones = [];
        string? marker = null;
        do
        {
            var after = marker;
            var page = await connection.CallAsync("list", "hosted zones", token => connection.Route53.ListHostedZonesAsync(new() { Marker = after }, token), ct);
            zones.AddRange((page.HostedZones ?? []).Where(zone => zone.Config?.PrivateZone != true).Select(zone => new DnsZone(Short(zone.Id!), Plain(zone.Name))));
            marker = page.IsTruncated == true ? page.NextMarker : null;
        }
        while (!string.IsNullOrEmpty(marker));
        return zones;
    }

    /// <summary>All records of a zone.</summary>
    public async Task<IReadOnlyList<DnsRecord>> RecordsAsync(DnsZone zone, CancellationToken ct)
    {
        List<DnsRecord> records = [];
        var next = new ListResourceRecordSetsRequest { HostedZoneId = zone.Id };
        while (true)
        {
            var page = await connection.CallAsync("list", $"the records of {zone.Name}", token => connection.Route53.ListResourceRecordSetsAsync(next, token), ct);
            records.AddRange((page.ResourceRecordSets ?? []).Select(Route53Words.ToRecord));
            if (page.IsTruncated != true)
                return records;
            next = new() { HostedZoneId = zone.Id, StartRecordName = page.NextRecordName, StartRecordType = page.NextRecordType, StartRecordIdentifier = page.NextRecordIdentifier };
        }
    }

    /// <summary>Deletes records that are exactly so and creates others, all of them or none: a record that changed meanwhile, or exists already, is an error.</summary>
    public Task<string> ReplaceAsync(DnsZone zone, IReadOnlyList<DnsRecord> old, IReadOnlyList<DnsRecord> records, string operationId, CancellationToken ct) =>
        ChangeAsync(zone, [.. old.Select(record => ("DELETE", record)), .. records.Select(record => ("CREATE", record))], operationId, ct);

    /// <summary>Writes records, all of them or none. What is there under the same name, type and set is replaced.</summary>
    /// <returns>The change, for <see cref="InSyncAsync"/>.</returns>
    public Task<string> UpsertAsync(DnsZone zone, IReadOnlyList<DnsRecord> records, string operationId, CancellationToken ct) => ChangeAsync(zone, records.Select(record => ("UPSERT", record)), operationId, ct);

    /// <summary>Deletes records that are exactly so; one that changed meanwhile is an error, and nothing is deleted.</summary>
    public Task<string> DeleteAsync(DnsZone zone, IReadOnlyList<DnsRecord> records, string operationId, CancellationToken ct) => ChangeAsync(zone, records.Select(record => ("DELETE", record)), operationId, ct);

    /// <summary>Whether a change has reached all name servers of Route 53.</summary>
    public async Task<bool> InSyncAsync(string change, CancellationToken ct)
    {
        var answer = await connection.CallAsync("read", $"change {change}", token => connection.Route53.GetChangeAsync(new() { Id = change }, token), ct);
        return answer.ChangeInfo?.Status == "INSYNC";
    }

    private async Task<string> ChangeAsync(DnsZone zone, IEnumerable<(string Action, DnsRecord Record)> changes, string operationId, CancellationToken ct)
    {
        var answer = await connection.CallAsync("change", $"the records of {zone.Name}", token => connection.Route53.ChangeResourceRecordSetsAsync(
            new()
            {
                HostedZoneId = zone.Id,
                ChangeBatch = new()
                {
                    Comment = $"platformops {operationId}",
                    Changes = [.. changes.Select(change => new Change { Action = change.Action, ResourceRecordSet = change.Record.ToRecordSet() })],
                },
            }, token), ct);
        return Short(answer.ChangeInfo?.Id ?? "");
    }

    private async Task<IReadOnlyList<HostedZone>> NamedAsync(string name, CancellationToken ct)
    {
        var answer = await connection.CallAsync("find", $"hosted zone {name}", token => connection.Route53.ListHostedZonesByNameAsync(new() { DNSName = name }, token), ct);
        return [.. (answer.HostedZones ?? []).Where(zone => Plain(zone.Name) == Plain(name) && zone.Config?.PrivateZone != true)];
    }

    private async Task<IReadOnlyDictionary<string, string>> TagsAsync(string id, CancellationToken ct)
    {
        var answer = await connection.CallAsync("read", $"the tags of hosted zone {Short(id)}", token => connection.Route53.ListTagsForResourceAsync(
            new() { ResourceType = "hostedzone", ResourceId = id }, token), ct);
        return (answer.ResourceTagSet?.Tags ?? []).ToDictionary(tag => tag.Key ?? "", tag => tag.Value ?? "");
    }

    private Task TagAsync(string id, AwsOwner owner, string operationId, CancellationToken ct) => connection.CallAsync(
        "tag", $"hosted zone {Short(id)}", token => connection.Route53.ChangeTagsForResourceAsync(
            new() { ResourceType = "hostedzone", ResourceId = id, AddTags = [.. owner.Tags(operationId).Select(tag => new Tag { Key = tag.Key, Value = tag.Value })] }, token), ct);

    private static string Short(string id) => id[(id.LastIndexOf('/') + 1)..];

    private static string Plain(string? name) => (name ?? "").TrimEnd('.');
}

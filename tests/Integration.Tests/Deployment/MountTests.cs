using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PlatformOps.Integration.Tests.Alerts;

namespace PlatformOps.Integration.Tests.Deployment;

/// <summary>Whether the files that a container is told of are there: below what is mounted, under a key that the mounted thing has.</summary>
public sealed partial class MountTests
{
    /// <summary>What images bring.</summary>
    private static readonly string[] OfImages = ["/etc/temporal/schema/postgresql/v12/"];

    public static TheoryData<string> Overlays => [.. Kustomization.Overlays];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Every_file_that_a_container_is_told_of_is_mounted_and_every_key_exists_or_is_explained(string overlay)
    {
        var objects = await Kustomization.RenderAsync(overlay);
        var maps = objects.Where(item => (string?)item["kind"] == "ConfigMap").ToDictionary(item => (string)item["metadata"]!["name"]!, item => item["data"]!.AsObject());
        var secrets = await ExplainedAsync();
        var (wrong, looked) = (new List<string>(), 0);
        foreach (var pod in from item in objects
                            let template = item["spec"]?["template"] ?? item["spec"]?["jobTemplate"]?["spec"]?["template"]
                            where template is not null
                            select (Name: Kustomization.Name(item), Spec: template["spec"]!, Claims: Items(item["spec"]?["volumeClaimTemplates"]).Select(claim => (string)claim["metadata"]!["name"]!)))
        {
            var volumes = Items(pod.Spec["volumes"]).ToDictionary(volume => (string)volume["name"]!, volume => volume);
            foreach (var (name, volume) in volumes)
            {
                var (map, secret) = ((string?)volume["configMap"]?["name"], (string?)volume["secret"]?["secretName"]);
                if (map is not null && !maps.ContainsKey(map))
                    wrong.Add($"{pod.Name}, volume {name}, is of ConfigMap {map}, which is not among what is applied.");
                if (secret is not null && !secrets.ContainsKey(secret))
                    wrong.Add($"{pod.Name}, volume {name}, is of Secret {secret}, which docs/deployment.md does not name.");
                wrong.AddRange(from item in Items((volume["configMap"] ?? volume["secret"])?["items"])
                               where !(map is null ? secrets.GetValueOrDefault(secret!, []) : maps.GetValueOrDefault(map)?.Select(entry => entry.Key) ?? []).Contains((string)item["key"]!)
                               select $"{pod.Name}, volume {name}, has {item["key"]} of {map ?? secret}, which has no such key.");
            }

            foreach (var container in Items(pod.Spec["initContainers"]).Concat(Items(pod.Spec["containers"])))
            {
                var mounts = Items(container["volumeMounts"]).OrderByDescending(mount => ((string)mount["mountPath"]!).Length).ToList();
                foreach (var mount in mounts.Where(mount => !volumes.ContainsKey((string)mount["name"]!) && !pod.Claims.Contains((string)mount["name"]!)))
                    Wrong($"mounts {mount["name"]}, which is no volume");
                foreach (var path in Told(container, mounts, volumes).Distinct())
                {
                    looked++;
                    if (OfImages.Any(known => path.StartsWith(known, StringComparison.Ordinal)))
                        continue;
                    if (mounts.FirstOrDefault(mount => $"{path}/".StartsWith($"{mount["mountPath"]}/", StringComparison.Ordinal)) is not { } holder)
                        Wrong($"is told of {path}, which nothing mounts");
                    else if (Keys(volumes.GetValueOrDefault((string)holder["name"]!)) is { } keys && path != (string)holder["mountPath"]! && !keys.Contains(path[((string)holder["mountPath"]!).Length..].TrimStart('/')))
                        Wrong($"is told of {path}, and {holder["name"]} has {string.Join(", ", keys)}");
                }

                foreach (var mount in mounts.Where(mount => mount["subPath"] is not null && Keys(volumes.GetValueOrDefault((string)mount["name"]!))?.Contains((string)mount["subPath"]!) == false))
                    Wrong($"mounts {mount["subPath"]} of {mount["name"]}, which has no such key");
                foreach (var reference in Items(container["env"]).Select(variable => variable["valueFrom"]).OfType<JsonNode>())
                {
                    if (reference["secretKeyRef"] is { } secret && !secrets.GetValueOrDefault((string)secret["name"]!, []).Contains((string)secret["key"]!))
                        Wrong($"needs {secret["key"]} of Secret {secret["name"]}, which docs/deployment.md does not name");
                    if (reference["configMapKeyRef"] is { } map && maps.GetValueOrDefault((string)map["name"]!)?.ContainsKey((string)map["key"]!) != true)
                        Wrong($"needs {map["key"]} of ConfigMap {map["name"]}, which is not among what is applied");
                }

                foreach (var map in Items(container["envFrom"]).Select(from => (string?)from["configMapRef"]?["name"]).OfType<string>().Where(map => !maps.ContainsKey(map)))
                    Wrong($"takes its environment from ConfigMap {map}, which is not among what is applied");

                void Wrong(string what) => wrong.Add($"{pod.Name}, container {container["name"]}, {what}.");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.InRange(looked, 5, int.MaxValue);

        // What the files of a volume are called; null: they are not known, or not fixed.
        IReadOnlyList<string>? Keys(JsonNode? volume)
        {
            var (source, known) = (volume?["secret"] ?? volume?["configMap"], volume switch
            {
                { } found when found["configMap"]?["name"] is { } map => maps.TryGetValue((string)map!, out var data) ? data.Select(entry => entry.Key).ToList() : [],
                { } found when found["secret"]?["secretName"] is { } secret => secrets.GetValueOrDefault((string)secret!, []),
                _ => null,
            });
            // "And the files that it names."
            if (known is null || (known.Contains("connections.json") && volume?["secret"] is not null))
                return null;
            return source!["items"] is { } items ? [.. Items(items).Where(item => known.Contains((string)item["key"]!)).Select(item => (string)item["path"]!)] : known;
        }

        // Arguments, variables, and what stands in files of ConfigMaps that the container reads.
        IEnumerable<string> Told(JsonObject container, IEnumerable<JsonObject> mounts, Dictionary<string, JsonObject> volumes)
        {
            var texts = new[] { container["command"], container["args"] }.SelectMany(list => list?.AsArray().Select(text => (string)text!) ?? [])
                .Concat(Items(container["env"]).Select(variable => (string?)variable["value"]).OfType<string>())
                .Concat(mounts.Select(mount => (string?)volumes.GetValueOrDefault((string)mount["name"]!)?["configMap"]?["name"]).OfType<string>().SelectMany(map => maps.GetValueOrDefault(map) ?? []).Select(entry => (string)entry.Value!));
            return texts.SelectMany(text => FilePath().Matches(text)).Select(match => match.Groups["path"].Value.TrimEnd('.'));
        }
    }

    private static IEnumerable<JsonObject> Items(JsonNode? list) => list?.AsArray().OfType<JsonObject>() ?? [];

    /// <summary>The Secrets of which the page says who brings them, with their keys.</summary>
    private static async Task<Dictionary<string, List<string>>> ExplainedAsync()
    {
        var (found, last) = (new Dictionary<string, List<string>>(), new List<string>());
        foreach (var row in (await File.ReadAllLinesAsync(Path.Combine(Tools.Root, "docs", "deployment.md"), TestContext.Current.CancellationToken)).Where(line => line.StartsWith("| `", StringComparison.Ordinal)))
        {
            var cells = row.Split('|');
            var keys = Code().Matches(cells[2]).Select(match => match.Groups[1].Value).ToList();
            last = cells[2].Trim() == "the same" ? last : keys;
            found.TryAdd(Code().Match(cells[1]).Groups[1].Value, last);
        }

        return found;
    }

    /// <summary>An absolute path below a folder in which containers are given files. Not the path of an address.</summary>
    [GeneratedRegex(@"(?<![\w./}-])(?<path>/(?:etc|dumps|tmp|run|var/lib|var/run|docker-entrypoint-initdb\.d)(?:/[\w.-]+)*)")]
    private static partial Regex FilePath();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}

using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Activities.Backups;

internal static class StateAddress
{
    /// <summary>Where an object is.</summary>
    public static ResourceAddress Of(string region, JsonObject manifest) => new(
        region, (string)manifest["apiVersion"]!, (string)manifest["kind"]!, (string?)manifest["metadata"]?["namespace"], (string)manifest["metadata"]!["name"]!);
}

using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using PlatformOps.Sandbox.Reads;

namespace PlatformOps.Sandbox.Api;

/// <summary>Writes a watch: one JSON object per line, each as soon as it is known.</summary>
internal static class WatchStream
{
    public static async Task WriteAsync(
        HttpContext context, WatchCalls watches, Selection selection, IReadOnlyDictionary<string, string> query, TimeProvider time)
    {
        var table = Tables.IsWanted(context.Request.Headers.Accept.ToString());
        var include = context.Request.Query["includeObject"].ToString();
        context.Response.ContentType = "application/json";
        await context.Response.StartAsync(context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await foreach (var change in watches.WatchAsync(selection, query, context.RequestAborted))
        {
            var shown = table && change.Type is not ("ERROR" or "BOOKMARK")
                ? Tables.Of(selection.Kind, [change.Object], new JsonObject { ["resourceVersion"] = change.Object["metadata"]?["resourceVersion"]?.DeepClone() }, include, time.GetUtcNow())
                : change.Object;
            var line = new JsonObject { ["type"] = change.Type, ["object"] = shown }.ToJsonString(JsonText.Options);
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}

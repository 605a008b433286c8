using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using PlatformOps.Sandbox.Kinds;
using PlatformOps.Sandbox.Reads;

namespace PlatformOps.Sandbox.Api;

/// <summary>Writes answers.</summary>
internal static class Answer
{
    public static Task JsonAsync(HttpContext context, JsonNode body, int code = 200) =>
        BytesAsync(context, Encoding.UTF8.GetBytes(body.ToJsonString(JsonText.Options)), code);

    public static async Task BytesAsync(HttpContext context, ReadOnlyMemory<byte> body, int code = 200)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    public static Task FailureAsync(HttpContext context, ApiFailure failure)
    {
        if (failure.RetryAfter is { } seconds)
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return JsonAsync(context, failure.ToStatus(), failure.Code);
    }

    /// <summary>One object, as a table where that is asked for.</summary>
    public static Task ObjectAsync(HttpContext context, ResourceKind kind, JsonObject value, DateTimeOffset now, int code = 200)
    {
        if (!Tables.IsWanted(context.Request.Headers.Accept.ToString()))
            return JsonAsync(context, value, code);
        var metadata = new JsonObject { ["resourceVersion"] = value["metadata"]?["resourceVersion"]?.DeepClone() };
        return JsonAsync(context, Tables.Of(kind, [value], metadata, context.Request.Query["includeObject"].ToString(), now), code);
    }

    /// <summary>A page of a list; big lists are written object by object, without building the whole.</summary>
    public static async Task ListAsync(HttpContext context, Selection selection, ListPage page, DateTimeOffset now)
    {
        var kind = selection.Kind;
        var metadata = new JsonObject { ["resourceVersion"] = page.Version.ToString(CultureInfo.InvariantCulture) };
        if (page.Continue.Length > 0)
        {
            metadata["continue"] = page.Continue;
            metadata["remainingItemCount"] = page.Remaining;
        }

        if (Tables.IsWanted(context.Request.Headers.Accept.ToString()))
        {
            var items = page.Objects.Select(item => WatchCalls.Served(selection, item)).ToList();
            await JsonAsync(context, Tables.Of(kind, items, metadata, context.Request.Query["includeObject"].ToString(), now));
            return;
        }

        context.Response.ContentType = "application/json";
        var body = context.Response.BodyWriter;
        body.Write(Encoding.UTF8.GetBytes($"{{\"kind\":\"{kind.Kind}List\",\"apiVersion\":\"{kind.ApiVersion}\",\"metadata\":{metadata.ToJsonString(JsonText.Options)},\"items\":["));
        for (var index = 0; index < page.Objects.Count; index++)
        {
            if (index > 0)
                body.Write(","u8);
            body.Write(kind.Custom ? Encoding.UTF8.GetBytes(WatchCalls.Served(selection, page.Objects[index]).ToJsonString(JsonText.Options)) : page.Objects[index].Json);
            if (body.UnflushedBytes > 64 * 1024)
                await body.FlushAsync(context.RequestAborted);
        }

        body.Write("]}"u8);
        await body.FlushAsync(context.RequestAborted);
    }

    private static void Write(this System.IO.Pipelines.PipeWriter writer, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(writer.GetSpan(bytes.Length));
        writer.Advance(bytes.Length);
    }
}

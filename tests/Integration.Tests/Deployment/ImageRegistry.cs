using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace PlatformOps.Integration.Tests.Deployment;

/// <summary>A registry of container images on loopback: what the distribution specification of the OCI says about pulling, and about pushing in one piece or in several. All repositories share their blobs.</summary>
internal sealed class ImageRegistry : IAsyncDisposable
{
    public const string Manifest = "application/vnd.oci.image.manifest.v1+json";
    private readonly WebApplication app;
    private readonly string folder;

    private ImageRegistry(string folder)
    {
        this.folder = folder;
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        // Layers are larger than what a web server takes by itself.
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        app = builder.Build();
        app.Run(HandleAsync);
    }

    /// <summary>As the name of an image begins.</summary>
    public string Host => new Uri(app.Urls.Single()).Authority;

    public static async Task<ImageRegistry> StartAsync(string folder)
    {
        var registry = new ImageRegistry(Directory.CreateDirectory(folder).FullName);
        await registry.app.StartAsync(TestContext.Current.CancellationToken);
        return registry;
    }

    /// <summary>Where a blob is kept.</summary>
    public string Blob(string digest) => Path.Combine(folder, digest.Replace(':', '-'));

    /// <summary>Keeps a file as a blob, in its place.</summary>
    /// <returns>Its descriptor.</returns>
    public JsonObject Keep(string file, string mediaType)
    {
        var (digest, size) = (Digest(file), new FileInfo(file).Length);
        File.Move(file, Blob(digest), overwrite: true);
        return new() { ["mediaType"] = mediaType, ["digest"] = digest, ["size"] = size };
    }

    public JsonObject Keep(JsonObject document, string mediaType)
    {
        var file = Path.Combine(folder, Path.GetRandomFileName());
        File.WriteAllText(file, document.ToJsonString());
        return Keep(file, mediaType);
    }

    /// <summary>Gives a repository's tag to a manifest.</summary>
    public void Tag(string name, string tag, JsonObject manifest) => File.Copy(Blob((string)Keep(manifest, Manifest)["digest"]!), TagFile(name, tag), overwrite: true);

    /// <summary>What a tag names; null when nothing was pushed by that name.</summary>
    public JsonObject? Find(string name, string tag) => File.Exists(TagFile(name, tag)) ? JsonNode.Parse(File.ReadAllText(TagFile(name, tag)))!.AsObject() : null;

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private string TagFile(string name, string tag) => Path.Combine(folder, $"tag-{name.Replace('/', '_')}-{tag}");

    private async Task HandleAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var parts = request.Path.Value!.Trim('/').Split('/');
        if (parts is ["v2"])
            return;
        // v2/NAME/manifests/REFERENCE, v2/NAME/blobs/DIGEST, v2/NAME/blobs/uploads/ID; a name may have slashes.
        var kind = Array.FindLastIndex(parts, part => part is "manifests" or "blobs");
        var (name, what, rest) = (string.Join('/', parts[1..kind]), parts[kind], parts[(kind + 1)..]);
        response.StatusCode = (request.Method, what, rest) switch
        {
            ("GET" or "HEAD", "blobs", [var digest]) => await SendAsync(context, Blob(digest), "application/octet-stream"),
            ("GET" or "HEAD", "manifests", [var reference]) => await SendAsync(context, reference.Contains(':', StringComparison.Ordinal) ? Blob(reference) : TagFile(name, reference), Manifest),
            ("PUT", "manifests", [var reference]) => await TakeManifestAsync(request, name, reference),
            ("POST", "blobs", ["uploads", ..]) => Begin(response, name),
            ("PATCH", "blobs", ["uploads", var id]) => await TakeAsync(context, name, id, null),
            ("PUT", "blobs", ["uploads", var id]) => await TakeAsync(context, name, id, request.Query["digest"]),
            _ => StatusCodes.Status404NotFound,
        };
    }

    private static async Task<int> SendAsync(HttpContext context, string file, string type)
    {
        if (!File.Exists(file))
            return StatusCodes.Status404NotFound;
        (context.Response.ContentType, context.Response.ContentLength) = (type, new FileInfo(file).Length);
        context.Response.Headers["Docker-Content-Digest"] = Digest(file);
        if (context.Request.Method == "GET")
            await context.Response.SendFileAsync(file);
        return StatusCodes.Status200OK;
    }

    private static int Begin(HttpResponse response, string name)
    {
        response.Headers.Location = $"/v2/{name}/blobs/uploads/{Guid.NewGuid():n}";
        return StatusCodes.Status202Accepted;
    }

    private async Task<int> TakeAsync(HttpContext context, string name, string id, string? digest)
    {
        var file = Path.Combine(folder, id);
        long size;
        await using (var stream = new FileStream(file, FileMode.Append))
        {
            await context.Request.Body.CopyToAsync(stream, context.RequestAborted);
            size = stream.Length;
        }

        context.Response.Headers.Location = $"/v2/{name}/blobs/uploads/{id}";
        context.Response.Headers.Range = $"0-{size - 1}";
        if (digest is null)
            return StatusCodes.Status202Accepted;
        if (Digest(file) != digest)
            return StatusCodes.Status400BadRequest;
        File.Move(file, Blob(digest), overwrite: true);
        return StatusCodes.Status201Created;
    }

    private async Task<int> TakeManifestAsync(HttpRequest request, string name, string reference)
    {
        var document = (await JsonSerializer.DeserializeAsync<JsonObject>(request.Body))!;
        Tag(name, reference, document);
        return StatusCodes.Status201Created;
    }

    private static string Digest(string file)
    {
        using var stream = File.OpenRead(file);
        return $"sha256:{Convert.ToHexStringLower(SHA256.HashData(stream))}";
    }
}

using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace PlatformOps.Sandbox.Aws.S3;

/// <summary>A call of S3: a method on a bucket or an object, whose subresource (<c>?versioning</c>) says what it is about.</summary>
/// <param name="Bucket">Empty: the account.</param>
/// <param name="Key">Empty: the bucket itself.</param>
internal sealed record S3Request(string Method, string Region, string Bucket, string Key, IQueryCollection Query, IHeaderDictionary Headers, byte[] Body)
{
    private static readonly string[] Subresources =
        ["location", "versioning", "encryption", "publicAccessBlock", "lifecycle", "replication", "object-lock", "tagging", "versions", "uploads", "uploadId"];

    public string Subresource { get; } = Subresources.FirstOrDefault(Query.ContainsKey) ?? "";

    /// <summary>For faults: <c>PUT tagging</c> of a bucket, <c>PUT object</c>, <c>GET list</c>.</summary>
    public string Operation => $"{Method} {(Subresource.Length > 0 ? Subresource : Key.Length > 0 ? "object" : Method is "GET" ? "list" : "bucket")}";

    public static async Task<S3Request> ReadAsync(HttpRequest request, string region)
    {
        var parts = request.Path.Value!.TrimStart('/').Split('/', 2);
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        var sent = body.ToArray();
        return new(
            request.Method, region, parts[0], parts.Length > 1 ? parts[1] : "", request.Query, request.Headers,
            request.Headers["x-amz-content-sha256"].ToString().StartsWith("STREAMING-", StringComparison.Ordinal) ? Unchunked(sent) : sent);
    }

    public string? Parameter(string name) => Query.TryGetValue(name, out var value) ? value.ToString() : null;

    public string? Header(string name) => Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    public XElement Xml()
    {
        try
        {
            return XElement.Parse(Encoding.UTF8.GetString(Body));
        }
        catch (XmlException)
        {
            throw Malformed();
        }
    }

    public static AwsFailure Malformed() => new(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");

    /// <summary>Bodies come in signed pieces: <c>SIZE;chunk-signature=...</c>, the bytes, and a piece without bytes at the end.</summary>
    private static byte[] Unchunked(byte[] sent)
    {
        using var whole = new MemoryStream();
        for (var at = 0; at < sent.Length;)
        {
            var end = sent.AsSpan(at).IndexOf("\r\n"u8);
            var head = Encoding.ASCII.GetString(sent, at, end).Split(';')[0];
            var size = int.Parse(head, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (size == 0)
                break;
            whole.Write(sent, at + end + 2, size);
            at += end + 2 + size + 2;
        }

        return whole.ToArray();
    }
}

using System.Globalization;
using System.Security.Cryptography;
using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.S3;

/// <summary>The operations of S3 on objects, their versions, and uploads in parts.</summary>
internal sealed partial class S3Calls
{
    private AwsAnswer OnObject(S3Request call, StoredBucket bucket) => (call.Method, call.Subresource) switch
    {
        ("PUT", "") => Put(call, bucket, call.Body),
        ("GET" or "HEAD", "") => Get(call, bucket),
        ("DELETE", "") => DeleteObject(call, bucket),
        ("POST", "uploads") => Begin(call, bucket),
        ("PUT", "uploadId") => PutPart(call, bucket),
        ("POST", "uploadId") => Complete(call, bucket),
        ("DELETE", "uploadId") => Abort(call, bucket),
        _ => throw Unknown(call),
    };

    private AwsAnswer Put(S3Request call, StoredBucket bucket, byte[] content, string? tag = null)
    {
        var there = Newest(bucket, call.Key);
        if (call.Header("If-None-Match") == "*" && there is not null)
            throw Precondition();
        if (call.Header("If-Match") is { } seen)
        {
            if (there is null)
                throw NoSuchKey();
            if (seen.Trim('"') != there.Tag)
                throw Precondition();
        }

        var version = Version(bucket, tag ?? Hash(content), content.LongLength, marker: false);
        storage.Put(Place(version), content);
        Add(bucket, call.Key, version);
        Replicate(bucket, call.Key, version, content);
        return new() { Headers = Describe(bucket, version) };
    }

    /// <summary>S3 does it a while later; here it is there at once. A copy keeps its tag, and gets the lock of the bucket that it is in.</summary>
    private void Replicate(StoredBucket bucket, string key, StoredVersion version, byte[] content)
    {
        if (!bucket.Settings.TryGetValue("replication", out var text) || Descendant(XElement.Parse(text), "Bucket") is not { } arn || state.Value.Buckets.GetValueOrDefault(arn[(arn.LastIndexOf(':') + 1)..]) is not { } target)
            return;
        var copy = Version(target, version.Tag, version.Bytes, marker: false);
        storage.Put(Place(copy), content);
        Add(target, key, copy);
    }

    private AwsAnswer Get(S3Request call, StoredBucket bucket)
    {
        var version = call.Parameter("versionId") is { } id
            ? bucket.Objects.GetValueOrDefault(call.Key)?.Find(one => one.Id == id) ?? throw new AwsFailure(404, "NoSuchVersion", "The specified version does not exist.")
            : Newest(bucket, call.Key) ?? throw NoSuchKey();
        var headers = Describe(bucket, version);
        headers["Last-Modified"] = version.Written.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);
        if (call.Header("If-Match") is { } seen && seen.Trim('"') != version.Tag)
            throw Precondition();
        if (call.Method == "GET" && call.Header("Range") is { } range && Range(range, version.Bytes) is var (from, to))
        {
            headers["Content-Range"] = string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{to}/{version.Bytes}");
            return new(206, Body: storage.Get(Place(version))![(int)from..(int)(to + 1)]) { Headers = headers };
        }

        return new(Body: call.Method == "GET" ? storage.Get(Place(version)) : [], Length: version.Bytes) { Headers = headers };
    }

    /// <summary>Without a version a versioned object only gets a marker; a version that is locked stays.</summary>
    private AwsAnswer DeleteObject(S3Request call, StoredBucket bucket)
    {
        if (!bucket.Objects.TryGetValue(call.Key, out var versions))
            return new(204);
        if (call.Parameter("versionId") is null && Versioned(bucket))
        {
            Add(bucket, call.Key, Version(bucket, "", 0, marker: true));
            return new(204) { Headers = { ["x-amz-delete-marker"] = "true" } };
        }

        foreach (var version in versions.Where(version => call.Parameter("versionId") is not { } id || version.Id == id).ToList())
        {
            if (version.Until > time.GetUtcNow())
                throw new AwsFailure(403, "AccessDenied", "Access Denied because object protected by object lock.");
            versions.Remove(version);
            storage.Remove(Place(version));
        }

        if (versions.Count == 0)
            bucket.Objects.Remove(call.Key);
        return new(204);
    }

    private static AwsAnswer ListObjects(S3Request call, StoredBucket bucket)
    {
        var (prefix, delimiter) = (call.Parameter("prefix") ?? "", call.Parameter("delimiter"));
        var all = bucket.Objects.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal) && !pair.Value[^1].Marker).ToLookup(pair => FolderOf(pair.Key));
        var folders = all.Select(group => group.Key).OfType<string>().ToList();
        return new(Xml: new("ListBucketResult",
            new XElement("IsTruncated", false), new XElement("KeyCount", all[null].Count() + folders.Count),
            all[null].Select(pair => new XElement("Contents", new XElement("Key", Encoded(call, pair.Key)), new XElement("LastModified", Text(pair.Value[^1].Written)),
                new XElement("ETag", $"\"{pair.Value[^1].Tag}\""), new XElement("Size", pair.Value[^1].Bytes))),
            folders.Select(folder => new XElement("CommonPrefixes", new XElement("Prefix", Encoded(call, folder))))));

        // Whatever has the delimiter after the prefix is told of once, up to there.
        string? FolderOf(string key) => delimiter is { Length: > 0 } && key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal) is >= 0 and var end ? key[..(end + delimiter.Length)] : null;
    }

    private static AwsAnswer ListVersions(S3Request call, StoredBucket bucket) => new(Xml: new("ListVersionsResult",
        new XElement("IsTruncated", false),
        from pair in bucket.Objects
        from version in pair.Value.AsEnumerable().Reverse()
        select new XElement(version.Marker ? "DeleteMarker" : "Version", new XElement("Key", Encoded(call, pair.Key)), new XElement("VersionId", version.Id),
            new XElement("IsLatest", version == pair.Value[^1]), new XElement("LastModified", Text(version.Written)), new XElement("ETag", $"\"{version.Tag}\""), new XElement("Size", version.Bytes))));

    private static AwsAnswer Begin(S3Request call, StoredBucket bucket)
    {
        var id = Guid.NewGuid().ToString("N");
        bucket.Uploads[id] = [];
        return new(Xml: new("InitiateMultipartUploadResult", new XElement("Bucket", call.Bucket), new XElement("Key", call.Key), new XElement("UploadId", id)));
    }

    private AwsAnswer PutPart(S3Request call, StoredBucket bucket)
    {
        var number = int.Parse(call.Parameter("partNumber") ?? "1", CultureInfo.InvariantCulture);
        var tag = Hash(call.Body);
        Upload(call, bucket)[number] = tag;
        storage.Put(Part(call, number), call.Body);
        return new() { Headers = { ["ETag"] = $"\"{tag}\"" } };
    }

    private AwsAnswer Complete(S3Request call, StoredBucket bucket)
    {
        var parts = Upload(call, bucket);
        var content = parts.Keys.SelectMany(number => storage.Get(Part(call, number))!).ToArray();
        var tag = $"{Hash(parts.Values.SelectMany(Convert.FromHexString).ToArray())}-{parts.Count}";
        var written = Put(call, bucket, content, tag);
        Abort(call, bucket);
        return new(Xml: new("CompleteMultipartUploadResult", new XElement("Bucket", call.Bucket), new XElement("Key", call.Key), new XElement("ETag", $"\"{tag}\""))) { Headers = written.Headers };
    }

    private AwsAnswer Abort(S3Request call, StoredBucket bucket)
    {
        foreach (var number in Upload(call, bucket).Keys)
            storage.Remove(Part(call, number));
        bucket.Uploads.Remove(call.Parameter("uploadId")!);
        return new(204);
    }

    private StoredVersion Version(StoredBucket bucket, string tag, long bytes, bool marker)
    {
        var days = !marker && bucket.Settings.TryGetValue("object-lock", out var text) ? Descendant(XElement.Parse(text), "Days") : null;
        return new(
            string.Create(CultureInfo.InvariantCulture, $"v{++state.Value.Versions:D10}"), tag, bytes, time.GetUtcNow(), marker,
            days is null ? null : time.GetUtcNow().AddDays(int.Parse(days, CultureInfo.InvariantCulture)));
    }

    private void Add(StoredBucket bucket, string key, StoredVersion version)
    {
        if (!bucket.Objects.TryGetValue(key, out var versions))
            bucket.Objects[key] = versions = [];
        if (!Versioned(bucket))
        {
            foreach (var old in versions)
                storage.Remove(Place(old));
            versions.Clear();
        }

        versions.Add(version);
    }

    private static SortedDictionary<int, string> Upload(S3Request call, StoredBucket bucket) => bucket.Uploads.GetValueOrDefault(call.Parameter("uploadId") ?? "")
        ?? throw new AwsFailure(404, "NoSuchUpload", "The specified upload does not exist.");

    /// <summary>What of an object <c>bytes=FROM-TO</c> means; null: all of it, as S3 takes what it does not understand.</summary>
    private static (long From, long To)? Range(string text, long bytes)
    {
        if (!text.StartsWith("bytes=", StringComparison.Ordinal) || text["bytes=".Length..].Split('-') is not [var first, var last] || !long.TryParse(first, CultureInfo.InvariantCulture, out var from))
            return null;
        if (from >= bytes)
            throw new AwsFailure(416, "InvalidRange", "The requested range is not satisfiable");
        return (from, long.TryParse(last, CultureInfo.InvariantCulture, out var to) ? Math.Min(to, bytes - 1) : bytes - 1);
    }

    private static StoredVersion? Newest(StoredBucket bucket, string key) => bucket.Objects.GetValueOrDefault(key) is [.., { Marker: false } newest] ? newest : null;

    private static Dictionary<string, string> Describe(StoredBucket bucket, StoredVersion version)
    {
        var headers = new Dictionary<string, string> { ["ETag"] = $"\"{version.Tag}\"" };
        if (Versioned(bucket))
            headers["x-amz-version-id"] = version.Id;
        if (version.Until is { } until)
            (headers["x-amz-object-lock-mode"], headers["x-amz-object-lock-retain-until-date"]) = ("COMPLIANCE", Text(until));
        return headers;
    }

    private static string Encoded(S3Request call, string key) => call.Parameter("encoding-type") == "url" ? Uri.EscapeDataString(key) : key;

    private static string Place(StoredVersion version) => $"s3/{version.Id}";

    private static string Part(S3Request call, int number) => string.Create(CultureInfo.InvariantCulture, $"s3/{call.Parameter("uploadId")}/{number}");

    private static string Hash(byte[] content)
    {
        // The protocol says so, and clients check it: an ETag is the MD5 of the content. It protects nothing.
#pragma warning disable CA5351
        return Convert.ToHexStringLower(MD5.HashData(content));
#pragma warning restore CA5351
    }

    private static AwsFailure NoSuchKey() => new(404, "NoSuchKey", "The specified key does not exist.");

    private static AwsFailure Precondition() => new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
}

using System.Net;
using Amazon.S3.Model;

namespace PlatformOps.Adapters.Aws.Storage;

/// <summary>Objects of a bucket. Conditional writes make it a place where exactly one of several writers wins.</summary>
public sealed class StoredObjects(AwsConnection connection, string bucket)
{
    /// <summary>S3 wants parts of at least 5 MiB.</summary>
    private const int PartBytes = 8 * 1024 * 1024;

    /// <summary>Writes an object, whatever is there.</summary>
    public async Task<StoredVersion> PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct) =>
        await WriteAsync(key, content, null, null, ct) ?? throw new AdapterException(AdapterFailureKind.Moved, $"{Named(key)} changed while it was written. Retry.");

    /// <summary>Writes an object that must not exist. Null: it exists, somebody was faster.</summary>
    public Task<StoredVersion?> CreateAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct) => WriteAsync(key, content, "*", null, ct);

    /// <summary>Writes an object that must still be as it was read. Null: it changed or is gone, somebody was faster.</summary>
    /// <param name="seen">From <see cref="StoredVersion.Tag"/> of what was read.</param>
    public Task<StoredVersion?> ReplaceAsync(string key, ReadOnlyMemory<byte> content, string seen, CancellationToken ct) => WriteAsync(key, content, null, seen, ct);

    /// <summary>Reads an object; null when there is none in the bucket.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Missing"/>: there is no such bucket.</exception>
    public async Task<StoredContent?> GetAsync(string key, CancellationToken ct)
    {
        try
        {
            return await connection.CallAsync("read", Named(key), async token =>
            {
                using var answer = await connection.S3.GetObjectAsync(new GetObjectRequest { BucketName = bucket, Key = key }, token);
                using var content = new MemoryStream();
                await answer.ResponseStream.CopyToAsync(content, token);
                return new StoredContent(content.ToArray(), new(answer.ETag, answer.VersionId));
            }, ct);
        }
        catch (AdapterException failure) when (failure is { Kind: AdapterFailureKind.Missing, InnerException: Amazon.S3.AmazonS3Exception { ErrorCode: not "NoSuchBucket" } })
        {
            return null;
        }
    }

    /// <summary>Reads an object into a stream, piece by piece, so that neither memory nor the time of one call limits how large it may be. False: there is none.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: it was written while it was read.</exception>
    public async Task<bool> DownloadAsync(string key, Stream target, CancellationToken ct)
    {
        if (await HeadAsync(key, ct) is not { } found)
            return false;
        for (long at = 0; at < found.Bytes; at += PartBytes)
        {
            var from = at;
            var piece = await connection.CallAsync("read", Named(key), async token =>
            {
                using var answer = await connection.S3.GetObjectAsync(
                    new GetObjectRequest { BucketName = bucket, Key = key, ByteRange = new(from, Math.Min(from + PartBytes, found.Bytes) - 1), EtagToMatch = found.Tag }, token);
                using var content = new MemoryStream();
                await answer.ResponseStream.CopyToAsync(content, token);
                return content.ToArray();
            }, ct);
            await target.WriteAsync(piece, ct);
        }

        return true;
    }

    /// <summary>What is known of an object without reading it; null when there is none.</summary>
    public async Task<StoredSummary?> HeadAsync(string key, CancellationToken ct)
    {
        var answer = await connection.FindAsync(Named(key), token => connection.S3.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = bucket, Key = key }, token), ct);
        return answer is null ? null : new(key, answer.ContentLength, answer.LastModified ?? default, answer.ETag);
    }

    /// <summary>Which version of an object is the newest, and until when nobody can delete it; null when there is none.</summary>
    public async Task<StoredLock?> LockAsync(string key, CancellationToken ct)
    {
        var answer = await connection.FindAsync(Named(key), token => connection.S3.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = bucket, Key = key }, token), ct);
        return answer is null ? null : new(answer.VersionId, answer.ObjectLockRetainUntilDate is { } until && until > DateTime.MinValue ? new DateTimeOffset(until.ToUniversalTime(), TimeSpan.Zero) : null);
    }

    /// <summary>The objects whose keys begin so, all pages of them.</summary>
    public async Task<IReadOnlyList<StoredSummary>> ListAsync(string prefix, CancellationToken ct)
    {
        List<StoredSummary> found = [];
        string? next = null;
        do
        {
            var from = next;
            var page = await connection.CallAsync("list", $"{Buckets.Named(bucket)}, {prefix}", token => connection.S3.ListObjectsV2Async(
                new ListObjectsV2Request { BucketName = bucket, Prefix = prefix, ContinuationToken = from }, token), ct);
            found.AddRange((page.S3Objects ?? []).Select(entry => new StoredSummary(entry.Key, entry.Size ?? 0, entry.LastModified ?? default, entry.ETag)));
            next = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (next is not null);
        return found;
    }

    /// <summary>Deletes an object: with versioning its last version stays behind a marker.</summary>
    public Task DeleteAsync(string key, CancellationToken ct) => DeleteVersionAsync(key, null, ct);

    /// <summary>Deletes one version for good.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Forbidden"/>: it is locked.</exception>
    public Task DeleteVersionAsync(string key, string? version, CancellationToken ct) => connection.CallAsync(
        "delete", Named(key), token => connection.S3.DeleteObjectAsync(new DeleteObjectRequest { BucketName = bucket, Key = key, VersionId = version }, token), ct);

    /// <summary>Writes a file, in parts when it is large. What an interrupted upload left is never visible as an object, and the bucket's lifecycle removes it.</summary>
    public async Task<StoredVersion> UploadAsync(string key, string file, CancellationToken ct)
    {
        await using var content = File.OpenRead(file);
        if (content.Length <= PartBytes)
        {
            var whole = new byte[content.Length];
            await content.ReadExactlyAsync(whole, ct);
            return await PutAsync(key, whole, ct);
        }

        var upload = await connection.CallAsync("upload", Named(key), token => connection.S3.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = bucket, Key = key }, token), ct);
        try
        {
            var parts = await UploadPartsAsync(key, upload.UploadId, content, ct);
            var done = await connection.CallAsync("complete", Named(key), token => connection.S3.CompleteMultipartUploadAsync(
                new CompleteMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = upload.UploadId, PartETags = parts }, token), ct);
            return new(done.ETag, done.VersionId);
        }
        catch (AdapterException)
        {
            await connection.FindAsync(Named(key), token => connection.S3.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = upload.UploadId }, token), ct);
            throw;
        }
    }

    private async Task<List<PartETag>> UploadPartsAsync(string key, string upload, FileStream content, CancellationToken ct)
    {
        List<PartETag> parts = [];
        var buffer = new byte[PartBytes];
        while (await content.ReadAtLeastAsync(buffer, PartBytes, throwOnEndOfStream: false, ct) is > 0 and var read)
        {
            var number = parts.Count + 1;
            var part = await connection.CallAsync("upload", $"part {number} of {Named(key)}", token => connection.S3.UploadPartAsync(
                new UploadPartRequest { BucketName = bucket, Key = key, UploadId = upload, PartNumber = number, PartSize = read, InputStream = new MemoryStream(buffer, 0, read) }, token), ct);
            parts.Add(new(part));
        }

        return parts;
    }

    private async Task<StoredVersion?> WriteAsync(string key, ReadOnlyMemory<byte> content, string? ifNoneMatch, string? ifMatch, CancellationToken ct)
    {
        try
        {
            var answer = await connection.CallAsync("write", Named(key), token => connection.S3.PutObjectAsync(
                new PutObjectRequest { BucketName = bucket, Key = key, InputStream = new MemoryStream(content.ToArray()), IfNoneMatch = ifNoneMatch, IfMatch = ifMatch }, token), ct);
            return new(answer.ETag, answer.VersionId);
        }
        catch (AdapterException failure) when (Lost(failure, ifMatch is not null))
        {
            return null;
        }
    }

    /// <summary>The condition did not hold. A 409 says only that another conditional write is under way: who won is known after trying again.</summary>
    private static bool Lost(AdapterException failure, bool mustExist) => failure.InnerException is Amazon.S3.AmazonS3Exception answer
        && (answer.StatusCode == HttpStatusCode.PreconditionFailed || (mustExist && answer.ErrorCode == "NoSuchKey"));

    private string Named(string key) => $"object {bucket}/{key}";
}

/// <summary>Which writing of an object it is.</summary>
/// <param name="Tag">Changes with the content: the ETag.</param>
/// <param name="Version">Null where the bucket keeps no versions.</param>
public sealed record StoredVersion(string Tag, string? Version);

/// <param name="Version">Null where the bucket keeps no versions.</param>
/// <param name="Until">Null: anybody who may can delete it.</param>
public sealed record StoredLock(string? Version, DateTimeOffset? Until);

/// <summary>An object that was read.</summary>
public sealed record StoredContent(ReadOnlyMemory<byte> Content, StoredVersion Version);

/// <summary>An object that was listed.</summary>
public sealed record StoredSummary(string Key, long Bytes, DateTimeOffset Changed, string Tag);

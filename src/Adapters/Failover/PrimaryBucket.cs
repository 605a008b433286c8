using System.Text.Json;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;

namespace PlatformOps.Adapters.Failover;

/// <summary>The bucket of one node. Which node is primary stands in an object of it, with the epoch, written only as it was read; and the primary's bucket is copied to the other one.</summary>
public sealed class PrimaryBucket(AwsConnection connection, string bucket)
{
    /// <summary>An ETag that no content has.</summary>
    private const string Never = "\"00000000000000000000000000000000\"";

    /// <summary>Whoever copies the bucket copies the mark too: under a name of its own it never takes the place of the other bucket's.</summary>
    private string Key => $".platformops/primary-{bucket}";

    private string Subject => Buckets.Named(bucket);

    /// <summary>The node that the mark names, and of which epoch it is; null and 0: there is no mark.</summary>
    public async Task<(string? Node, long Epoch)> ReadAsync(CancellationToken ct) => await FindAsync(ct) is { } found ? (found.Mark.Primary, found.Mark.Epoch) : (null, 0);

    /// <summary>What keeps a failover from marking it, and from reading how it is copied; null: nothing. Changes nothing: the mark is written on the condition that it is what it never is, which S3 looks at after the permission.</summary>
    /// <param name="copied">Whether where it is copied to is ours to set.</param>
    public async Task<string?> MissingAsync(bool copied, CancellationToken ct)
    {
        var doing = "s3:GetObject";
        try
        {
            await FindAsync(ct);
            doing = "s3:PutObject";
            await new StoredObjects(connection, bucket).ReplaceAsync(Key, Array.Empty<byte>(), Never, ct);
            doing = "s3:GetReplicationConfiguration";
            if (copied)
                await connection.FindAsync(Subject, token => connection.S3.GetBucketReplicationAsync(new() { BucketName = bucket }, token), ct);
            return null;
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Forbidden or AdapterFailureKind.Unauthorized)
        {
            return $"{Subject}: {doing} is not allowed ({failure.Message.TrimEnd('.')}). Grant the failover workers s3:GetObject and s3:PutObject on its .platformops/*, and s3:ListBucket, without which a mark that is not there yet is refused too{(copied ? "; and s3:GetReplicationConfiguration, s3:PutReplicationConfiguration" : "")}.";
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Missing or AdapterFailureKind.Rejected)
        {
            return failure.Message;
        }
    }

    /// <summary>Marks the bucket, and sets or ends where it is copied to.</summary>
    /// <param name="primary">The node.</param>
    /// <param name="copyTo">The other node's bucket and the role to copy as; null: it is not copied.</param>
    /// <param name="copied">Whether where it is copied to is ours to set.</param>
    /// <returns>False when all was so already.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: it is of a higher epoch, or copied by rules that are not ours. <see cref="AdapterFailureKind.Moved"/>: somebody marked it meanwhile.</exception>
    public async Task<bool> LeadToAsync(string primary, long epoch, BucketReplication? copyTo, bool copied, CancellationToken ct)
    {
        var changed = await MarkAsync(new(epoch, primary), ct);
        // How a bucket is copied knows no precondition: whoever was told to in an older epoch is refused by the mark, unless it was between the two at that very moment.
        return (copied && await CopyAsync(copyTo, ct)) || changed;
    }

    private async Task<bool> MarkAsync(Mark wanted, CancellationToken ct)
    {
        var objects = new StoredObjects(connection, bucket);
        var found = await FindAsync(ct);
        if (found?.Mark.Epoch > wanted.Epoch)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{Subject} is of epoch {found.Value.Mark.Epoch}, which is higher than {wanted.Epoch}: another failover has happened since. Nothing was changed.");
        if (found?.Mark == wanted)
            return false;
        var content = JsonSerializer.SerializeToUtf8Bytes(wanted, JsonSerializerOptions.Web);
        var written = found is { Tag: var tag } ? await objects.ReplaceAsync(Key, content, tag, ct) : await objects.CreateAsync(Key, content, ct);
        return written is not null ? true : throw new AdapterException(AdapterFailureKind.Moved, $"{Subject} was marked by somebody else meanwhile. Look again.");
    }

    private async Task<bool> CopyAsync(BucketReplication? target, CancellationToken ct)
    {
        var rules = await connection.FindAsync(Subject, token => connection.S3.GetBucketReplicationAsync(new() { BucketName = bucket }, token), ct) is { Configuration: { } known } ? known : null;
        if (rules?.Rules is { Count: > 0 } all && all.Exists(rule => rule.Id != BucketSettings.ReplicationRule))
            throw new AdapterException(AdapterFailureKind.Rejected, $"{Subject} is copied by rules that are not ours ({string.Join(", ", all.Select(rule => rule.Id))}), which would be lost. Remove them, or leave replicationRole out in the connections file.");
        var now = rules is { Rules: [{ Destination.BucketArn: { } arn }, ..] } ? new BucketReplication(arn[(arn.LastIndexOf(':') + 1)..], rules.Role) : null;
        if (now == target)
            return false;
        if (target is null)
            await connection.CallAsync("change", Subject, token => connection.S3.DeleteBucketReplicationAsync(new() { BucketName = bucket }, token), ct);
        else
            await connection.CallAsync("replicate", Subject, token => connection.S3.PutBucketReplicationAsync(new() { BucketName = bucket, Configuration = BucketSettings.Replicated(target) }, token), ct);
        return true;
    }

    private async Task<(Mark Mark, string Tag)?> FindAsync(CancellationToken ct)
    {
        try
        {
            return await new StoredObjects(connection, bucket).GetAsync(Key, ct) is { } found ? (JsonSerializer.Deserialize<Mark>(found.Content.Span, JsonSerializerOptions.Web) ?? throw Unreadable(null), found.Version.Tag) : null;
        }
        catch (JsonException failure)
        {
            throw Unreadable(failure);
        }
    }

    private AdapterException Unreadable(JsonException? failure) => new(
        AdapterFailureKind.Rejected, $"Object {Key} of {Subject} is no mark of a primary: nobody knows which epoch it is of. Restore an older version of it, or delete it when none is known.", failure);

    private sealed record Mark(long Epoch, string Primary);
}

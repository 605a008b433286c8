using System.Text;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Failover;

/// <summary>The record is an S3 object, and writes are conditional (<c>If-None-Match</c>, <c>If-Match</c>). The ETag tells contents apart, and no two records are alike: each has
/// another epoch or sequence. The bucket should not be versioned, since a primary writes several times a second.</summary>
/// <param name="connection">Its <see cref="AwsAccess.CallTimeout"/> is how long a call may take: a fraction of the lease.</param>
/// <param name="key">One for each environment.</param>
public sealed class S3Witness(AwsConnection connection, string bucket, string key) : IWitness
{
    private readonly StoredObjects objects = new(connection, bucket);

    private string Place => $"The object {bucket}/{key} in {connection.Region}";

    /// <inheritdoc/>
    public async Task<WitnessEntry?> ReadAsync(CancellationToken ct)
    {
        try
        {
            return await objects.GetAsync(key, ct) is { } found ? new(WitnessText.Read(Encoding.UTF8.GetString(found.Content.Span), Place), found.Version.Tag) : null;
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Missing)
        {
            throw NoBucket(failure);
        }
    }

    /// <inheritdoc/>
    public async Task<WitnessEntry> WriteAsync(WitnessRecord record, string? version, CancellationToken ct)
    {
        var content = Encoding.UTF8.GetBytes(WitnessText.Write(record));
        try
        {
            var written = version is null ? await objects.CreateAsync(key, content, ct) : await objects.ReplaceAsync(key, content, version, ct);
            return written is not null ? new(record, written.Tag) : throw new AdapterException(AdapterFailureKind.Moved, $"{Place} was written by somebody else first. Read it again.");
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Missing)
        {
            throw NoBucket(failure);
        }
    }

    private AdapterException NoBucket(AdapterException failure) => new(
        AdapterFailureKind.Rejected, $"{Place} cannot be kept: there is no such bucket. Create it in a third region, or correct the witness's configuration.", failure);
}

using System.Globalization;
using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.S3;

/// <summary>The operations of S3 on buckets and their settings; those on objects stand beside.</summary>
internal sealed partial class S3Calls(AwsStorage storage, TimeProvider time, TimeSpan lag)
{
    /// <summary>Each setting with what is answered when there is none; null: an empty document.</summary>
    private static readonly Dictionary<string, (string Root, string? Missing)> Settings = new()
    {
        ["versioning"] = ("VersioningConfiguration", null),
        ["encryption"] = ("ServerSideEncryptionConfiguration", "ServerSideEncryptionConfigurationNotFoundError"),
        ["publicAccessBlock"] = ("PublicAccessBlockConfiguration", "NoSuchPublicAccessBlockConfiguration"),
        ["lifecycle"] = ("LifecycleConfiguration", "NoSuchLifecycleConfiguration"),
        ["replication"] = ("ReplicationConfiguration", "ReplicationConfigurationNotFoundError"),
        ["object-lock"] = ("ObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"),
        ["tagging"] = ("Tagging", "NoSuchTagSet"),
    };

    private readonly Lock gate = new();
    private readonly Kept<S3State> state = new(storage, "s3");

    public AwsAnswer CarryOut(S3Request call)
    {
        lock (gate)
        {
            var answer = call switch
            {
                { Bucket: "", Method: "GET" } => List(call),
                { Key: "", Method: "PUT", Subresource: "" } => Create(call),
                { Key: "" } => OnBucket(call, Existing(call)),
                _ => OnObject(call, Existing(call)),
            };
            state.Write();
            return answer;
        }
    }

    private AwsAnswer List(S3Request call)
    {
        var wanted = call.Parameter("bucket-region");
        return new(Xml: new("ListAllMyBucketsResult", new XElement("Buckets", state.Value.Buckets.Where(pair => (wanted is null || pair.Value.Region == wanted) && pair.Value.Created + lag <= time.GetUtcNow()).Select(pair =>
            new XElement("Bucket", new XElement("Name", pair.Key), new XElement("BucketRegion", pair.Value.Region), new XElement("CreationDate", Text(pair.Value.Created)))))));
    }

    private AwsAnswer Create(S3Request call)
    {
        if (call.Bucket.Length is < 3 or > 63 || !call.Bucket.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '-' or '.'))
            throw new AwsFailure(400, "InvalidBucketName", "The specified bucket is not valid.");
        var region = call.Body.Length == 0 ? "us-east-1" : Descendant(call.Xml(), "LocationConstraint") ?? "us-east-1";
        if (region != call.Region)
            throw new AwsFailure(400, "IllegalLocationConstraintException", $"The {region} location constraint is incompatible for the region specific endpoint this request was sent to.");
        if (state.Value.Buckets.ContainsKey(call.Bucket))
            throw new AwsFailure(409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.");
        var bucket = new StoredBucket { Region = region, Created = time.GetUtcNow(), Lockable = call.Header("x-amz-bucket-object-lock-enabled") is "true" or "True" };
        if (bucket.Lockable)
            bucket.Settings["versioning"] = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        state.Value.Buckets.Add(call.Bucket, bucket);
        return new() { Headers = { ["Location"] = $"/{call.Bucket}" } };
    }

    private AwsAnswer OnBucket(S3Request call, StoredBucket bucket) => (call.Method, call.Subresource) switch
    {
        ("GET", "location") => new(Xml: new("LocationConstraint", bucket.Region == "us-east-1" ? null : bucket.Region)),
        ("GET", "versions") => ListVersions(call, bucket),
        ("GET", "") => ListObjects(call, bucket),
        ("HEAD", "") => new(),
        ("DELETE", "") => Delete(call, bucket),
        ("GET", var name) when Settings.TryGetValue(name, out var setting) => new(Xml: bucket.Settings.TryGetValue(name, out var text) ? XElement.Parse(text)
            : setting.Missing is null ? new(setting.Root)
            : name == "object-lock" && bucket.Lockable ? new(setting.Root, new XElement("ObjectLockEnabled", "Enabled"))
            : throw new AwsFailure(404, setting.Missing, $"The {setting.Root} of the bucket does not exist")),
        ("PUT", var name) when Settings.TryGetValue(name, out var setting) => Set(call, bucket, name, setting.Root),
        ("DELETE", "lifecycle" or "replication" or "tagging" or "encryption" or "publicAccessBlock") => Unset(call, bucket),
        _ => throw Unknown(call),
    };

    private AwsAnswer Set(S3Request call, StoredBucket bucket, string name, string root)
    {
        var wanted = call.Xml();
        if (wanted.Name.LocalName != root)
            throw S3Request.Malformed();
        if (name == "object-lock" && !bucket.Lockable)
            throw new AwsFailure(409, "InvalidBucketState", "Object Lock configuration cannot be enabled on existing buckets");
        if (name == "replication" && !(Versioned(bucket) && Descendant(wanted, "Bucket") is { } arn && state.Value.Buckets.GetValueOrDefault(arn[(arn.LastIndexOf(':') + 1)..]) is { } target && Versioned(target)))
            throw new AwsFailure(400, "InvalidRequest", "Versioning must be 'Enabled' on the bucket to apply a replication configuration, and the destination bucket must exist and be versioned");
        bucket.Settings[name] = wanted.ToString(SaveOptions.DisableFormatting);
        return new();
    }

    private static AwsAnswer Unset(S3Request call, StoredBucket bucket)
    {
        bucket.Settings.Remove(call.Subresource);
        return new(204);
    }

    private AwsAnswer Delete(S3Request call, StoredBucket bucket)
    {
        if (bucket.Objects.Count > 0)
            throw new AwsFailure(409, "BucketNotEmpty", "The bucket you tried to delete is not empty. You must delete all versions in the bucket.");
        state.Value.Buckets.Remove(call.Bucket);
        return new(204);
    }

    /// <summary>A bucket of another region answers there only; where it is, it tells everywhere.</summary>
    private StoredBucket Existing(S3Request call)
    {
        var bucket = state.Value.Buckets.GetValueOrDefault(call.Bucket) ?? throw new AwsFailure(404, "NoSuchBucket", "The specified bucket does not exist");
        return bucket.Region == call.Region || call.Subresource == "location"
            ? bucket
            : throw new AwsFailure(301, "PermanentRedirect", $"The bucket you are attempting to access must be addressed using the endpoint of {bucket.Region}.");
    }

    private static bool Versioned(StoredBucket bucket) => bucket.Settings.TryGetValue("versioning", out var text) && Descendant(XElement.Parse(text), "Status") == "Enabled";

    private static string? Descendant(XElement of, string name) => of.DescendantsAndSelf().FirstOrDefault(element => element.Name.LocalName == name)?.Value;

    private static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static AwsFailure Unknown(S3Request call) => new(501, "NotImplemented", $"The sandbox does not know {call.Operation} of S3.");
}

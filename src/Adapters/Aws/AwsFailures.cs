using System.Collections.Frozen;
using Amazon.Runtime;

namespace PlatformOps.Adapters.Aws;

/// <summary>Says what a refusal of an AWS API means, in words that name region, what was asked and the next step.</summary>
internal sealed class AwsFailures(AwsAccess access)
{
    private static readonly FrozenSet<string> Throttling = FrozenSet.Create(StringComparer.Ordinal,
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException", "RequestLimitExceeded", "SlowDown",
        "TooManyRequests", "TooManyRequestsException", "BandwidthLimitExceeded", "LimitExceededException", "PriorRequestNotComplete", "EC2ThrottledException");

    private static readonly FrozenSet<string> Missing = FrozenSet.Create(StringComparer.Ordinal,
        "DBInstanceNotFound", "DBInstanceNotFoundFault", "DBClusterNotFoundFault", "DBSnapshotNotFound", "DBSnapshotNotFoundFault", "GlobalClusterNotFoundFault", "NoSuchBucket", "NoSuchKey",
        "NoSuchVersion", "NoSuchUpload", "NotFound", "NoSuchTagSet", "NoSuchLifecycleConfiguration", "NoSuchPublicAccessBlockConfiguration", "ReplicationConfigurationNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError", "ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration", "NoSuchHostedZone", "NoSuchChange", "NoSuchEntity");

    private static readonly FrozenSet<string> Existing = FrozenSet.Create(StringComparer.Ordinal,
        "DBInstanceAlreadyExists", "DBInstanceAlreadyExistsFault", "DBSnapshotAlreadyExists", "DBSnapshotAlreadyExistsFault", "BucketAlreadyExists", "BucketAlreadyOwnedByYou",
        "HostedZoneAlreadyExists", "ConflictingDomainExists");

    private static readonly FrozenSet<string> Moving = FrozenSet.Create(StringComparer.Ordinal,
        "PreconditionFailed", "ConditionalRequestConflict", "OperationAborted", "ConcurrentModification", "InvalidDBInstanceState", "InvalidDBInstanceStateFault",
        "InvalidDBSnapshotState", "InvalidDBSnapshotStateFault", "InvalidDBClusterStateFault", "InvalidGlobalClusterStateFault", "BucketNotEmpty", "HostedZoneNotEmpty");

    private static readonly FrozenSet<string> Unknown = FrozenSet.Create(StringComparer.Ordinal,
        "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "ExpiredTokenException", "InvalidToken",
        "MissingAuthenticationToken", "RequestExpired", "RequestTimeTooSkewed", "IncompleteSignature", "AuthFailure", "TokenRefreshRequired", "InvalidSignatureException");

    private static readonly FrozenSet<string> Denied = FrozenSet.Create(StringComparer.Ordinal,
        "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "OptInRequired", "AllAccessDisabled", "NotAuthorized");

    private static readonly FrozenSet<string> Quotas = FrozenSet.Create(StringComparer.Ordinal,
        "InstanceQuotaExceeded", "InstanceQuotaExceededFault", "StorageQuotaExceeded", "StorageQuotaExceededFault", "SnapshotQuotaExceeded", "SnapshotQuotaExceededFault",
        "TooManyBuckets", "TooManyHostedZones", "LimitsExceeded", "LimitExceeded");

    private string Api => access.Endpoint is { } endpoint ? $"The AWS API of {access.Region} ({endpoint.GetLeftPart(UriPartial.Authority)})" : $"AWS {access.Region}";

    /// <param name="secret">A value that must not stand in the message.</param>
    public AdapterException Of(string verb, string subject, Exception failure, string? secret) => failure switch
    {
        AdapterException known => known,
        AmazonServiceException { StatusCode: not 0 } answered => Answered(verb, subject, answered, secret),
        OperationCanceledException => Unreachable($"there was no answer within {access.CallTimeout.TotalSeconds:0} s", failure),
        AmazonClientException or AmazonServiceException when Credentials(failure) => new(AdapterFailureKind.Unauthorized,
            $"{Api} cannot be called: there are no credentials. Set AWS_PROFILE, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or run where a role is given.", failure),
        _ => Unreachable(Innermost(failure).Message, failure),
    };

    /// <summary>It exists and belongs to somebody else: it is never touched.</summary>
    public AdapterException Foreign(string subject, string whose) => new(
        AdapterFailureKind.Conflict, $"{subject} exists in {access.Region} and {whose}. It was not touched. Remove it, or give ours another name.");

    private AdapterException Answered(string verb, string subject, AmazonServiceException failure, string? secret)
    {
        var code = failure.ErrorCode ?? "";
        var said = Without(secret, failure.Message).TrimEnd('.');
        var because = code.Length == 0 ? said : $"{code}: {said}";
        var status = (int)failure.StatusCode;
        var (kind, message) = code switch
        {
            _ when Throttling.Contains(code) || status == 429 => (AdapterFailureKind.Throttled, $"{Api} asks us to slow down when asked to {verb} {subject} ({because})."),
            _ when Missing.Contains(code) => (AdapterFailureKind.Missing, $"{subject} does not exist in {access.Region} ({because})."),
            _ when Existing.Contains(code) => (AdapterFailureKind.Exists, $"{subject} exists already ({because})."),
            _ when Moving.Contains(code) || status is 412 => (AdapterFailureKind.Moved, $"{Api} does not {verb} {subject} in the state that it is in ({because})."),
            // One code for all: only the message tells that the world was another one.
            "InvalidChangeBatch" when said.Contains("already exists", StringComparison.Ordinal) => (AdapterFailureKind.Exists, $"{Api} does not {verb} {subject} ({because})."),
            "InvalidChangeBatch" when said.Contains("not found", StringComparison.Ordinal) || said.Contains("do not match", StringComparison.Ordinal) =>
                (AdapterFailureKind.Moved, $"{Api} does not {verb} {subject}, which changed meanwhile ({because})."),
            _ when Unknown.Contains(code) || status == 401 => (AdapterFailureKind.Unauthorized,
                $"{Api} does not know who we are ({because}). Renew the credentials, check the clock of this machine, then retry."),
            _ when Quotas.Contains(code) => (AdapterFailureKind.Rejected, $"{Api} does not {verb} {subject}: a quota is used up ({because}). Have it raised, or free some of it, then retry."),
            _ when status >= 500 => (AdapterFailureKind.Unavailable, $"{Api} is in trouble (HTTP {status}) when asked to {verb} {subject}: {because}."),
            _ when Denied.Contains(code) || status == 403 => (AdapterFailureKind.Forbidden, $"{Api} does not let us {verb} {subject} ({because}). Grant it to our role, then retry."),
            "RequestTimeout" => (AdapterFailureKind.Unavailable, $"{Api} timed out when asked to {verb} {subject}."),
            _ when status == 404 => (AdapterFailureKind.Missing, $"{subject} does not exist in {access.Region} ({because})."),
            _ => (AdapterFailureKind.Rejected, $"{Api} refuses to {verb} {subject} ({because}). Correct the specification or the catalog."),
        };
        // The answer itself may repeat what was sent.
        return new(kind, message, secret is null ? failure : null);
    }

    private AdapterException Unreachable(string reason, Exception failure) => new(
        AdapterFailureKind.Unavailable, $"{Api} cannot be reached: {reason.TrimEnd('.')}. Check the network between this machine and it.", failure);

    private static string Without(string? secret, string text) => secret is { Length: > 0 } ? text.Replace(secret, "***", StringComparison.Ordinal) : text;

    private static bool Credentials(Exception failure) => failure.Message.Contains("credentials", StringComparison.OrdinalIgnoreCase);

    private static Exception Innermost(Exception failure) => failure.InnerException is { } inner ? Innermost(inner) : failure;
}

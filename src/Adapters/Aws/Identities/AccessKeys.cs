using PlatformOps.Platform.Secrets;

namespace PlatformOps.Adapters.Aws.Identities;

/// <summary>An access key without its secret.</summary>
public sealed record AccessKeyState(string Id, bool Active);

/// <summary>The access keys of an IAM user. There are two at most.</summary>
public sealed class AccessKeys(AwsConnection connection, string user)
{
    private const int AtMost = 2;

    private string Subject => $"the access keys of user {user}";

    public async Task<IReadOnlyList<AccessKeyState>> ListAsync(CancellationToken ct) =>
        [.. (await connection.CallAsync("list", Subject, token => connection.Identities.ListAccessKeysAsync(new() { UserName = user }, token), ct)).AccessKeyMetadata?
            .Where(key => key.AccessKeyId is not null).Select(key => new AccessKeyState(key.AccessKeyId!, key.Status == "Active")) ?? []];

    /// <summary>Whether AWS accepts a key. One that it does not list as active is not tried.</summary>
    public async Task<CredentialStanding> TryAsync(string id, SecretText secret, CancellationToken ct)
    {
        try
        {
            if (!(await ListAsync(ct)).Any(key => key.Id == id && key.Active))
                return CredentialStanding.Refused;
            using var tried = new AwsConnection(connection.Access with { Keys = new(id, secret.Reveal()) });
            await new AwsIdentity(tried).CallerAsync(ct);
            return CredentialStanding.Accepted;
        }
        catch (AdapterException refused) when (refused.Kind == AdapterFailureKind.Unauthorized)
        {
            return CredentialStanding.Refused;
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            return CredentialStanding.Unknown;
        }
    }

    /// <summary>Has AWS make another key.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: there are two already.</exception>
    public async Task<(string Id, SecretText Secret)> NewAsync(CancellationToken ct)
    {
        if (await ListAsync(ct) is { Count: >= AtMost } there)
            throw new AdapterException(
                AdapterFailureKind.Rejected, $"User {user} has {there.Count} access keys ({string.Join(", ", there.Select(key => key.Id))}), and AWS allows no more. Delete the one that the Kubernetes Secret does not hold, if nobody uses it, then retry.");
        var made = (await connection.CallAsync("make", $"an access key of user {user}", token => connection.Identities.CreateAccessKeyAsync(new() { UserName = user }, token), ct)).AccessKey;
        return made is { AccessKeyId: { Length: > 0 } id, SecretAccessKey: { Length: > 0 } secret }
            ? (id, new(secret))
            : throw new AdapterException(AdapterFailureKind.Unavailable, $"AWS made an access key of user {user} and did not say which. It is looked for.");
    }

    /// <summary>Has AWS refuse a key, until it is made active again. One that is gone is no failure.</summary>
    /// <returns>Whether AWS does refuse it by now: that takes some seconds to be known everywhere.</returns>
    public async Task<bool> DeactivateAsync(string id, SecretText secret, CancellationToken ct)
    {
        try
        {
            await SetAsync(id, "Inactive", ct);
            using var tried = new AwsConnection(connection.Access with { Keys = new(id, secret.Reveal()) });
            await new AwsIdentity(tried).CallerAsync(ct);
            return false;
        }
        catch (AdapterException refused) when (refused.Kind is AdapterFailureKind.Missing or AdapterFailureKind.Unauthorized)
        {
            return true;
        }
    }

    /// <summary>Has AWS accept a key that is inactive.</summary>
    public async Task ActivateAsync(string id, CancellationToken ct) => await SetAsync(id, "Active", ct);

    /// <summary>Ends a key: first it is made inactive, then it is deleted. One that is gone is no failure.</summary>
    public async Task EndAsync(string id, CancellationToken ct)
    {
        try
        {
            await SetAsync(id, "Inactive", ct);
            await connection.CallAsync("delete", $"access key {id} of user {user}", token => connection.Identities.DeleteAccessKeyAsync(new() { UserName = user, AccessKeyId = id }, token), ct);
        }
        catch (AdapterException gone) when (gone.Kind == AdapterFailureKind.Missing)
        {
            // As wanted.
        }
    }

    private Task SetAsync(string id, string status, CancellationToken ct) =>
        connection.CallAsync("change", $"access key {id} of user {user}", token => connection.Identities.UpdateAccessKeyAsync(new() { UserName = user, AccessKeyId = id, Status = status }, token), ct);
}

namespace PlatformOps.Adapters.Aws;

/// <summary>Who we are to AWS, and becoming somebody else.</summary>
public sealed class AwsIdentity(AwsConnection connection)
{
    /// <summary>The account and the name that calls are made with.</summary>
    public async Task<AwsCaller> CallerAsync(CancellationToken ct)
    {
        var caller = await connection.CallAsync("name", "the caller", token => connection.Tokens.GetCallerIdentityAsync(new(), token), ct);
        return new(caller.Account ?? "", caller.Arn ?? "");
    }

    /// <summary>Keys of a role, which end by themselves.</summary>
    /// <param name="session">Shown in the account's audit log: the operation id.</param>
    public async Task<AwsRoleKeys> AssumeAsync(string roleArn, string session, TimeSpan duration, CancellationToken ct)
    {
        var answer = await connection.CallAsync("assume", $"role {roleArn}", token => connection.Tokens.AssumeRoleAsync(
            new() { RoleArn = roleArn, RoleSessionName = Session(session), DurationSeconds = (int)duration.TotalSeconds }, token), ct);
        var keys = answer.Credentials ?? throw new AdapterException(AdapterFailureKind.Unavailable, $"STS gave no keys for role {roleArn}. Retry.");
        return new(new(keys.AccessKeyId ?? "", keys.SecretAccessKey ?? "", keys.SessionToken), keys.Expiration ?? default);
    }

    /// <summary>Letters, digits and <c>+=,.@-</c>, at most 64.</summary>
    private static string Session(string name) => string.Concat(name.Select(letter => char.IsAsciiLetterOrDigit(letter) || "+=,.@-_".Contains(letter, StringComparison.Ordinal) ? letter : '-').Take(64));
}

/// <summary>Who calls.</summary>
public sealed record AwsCaller(string Account, string Arn);

/// <summary>Keys and when they end.</summary>
public sealed record AwsRoleKeys(AwsKeys Keys, DateTimeOffset Expires);

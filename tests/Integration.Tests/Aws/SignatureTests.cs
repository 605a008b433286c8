using System.Text.RegularExpressions;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Adapters.Aws.Dns;
using PlatformOps.Adapters.Aws.Storage;

namespace PlatformOps.Integration.Tests.Aws;

/// <summary>Against a server that checks signatures and policies: another implementation agrees with what we sign, and a policy may be as narrow as this.</summary>
public sealed partial class SignatureTests
{
    /// <summary>What creating a database, a bucket with its settings, and a zone takes; changing a database is not in it. Without <c>s3:ListBucket</c> AWS says of a
    /// missing object that it is forbidden; moto also asks for it where AWS asks for a narrower right (encryption, public access).</summary>
    private const string Policy = """
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": [
          "rds:DescribeDBInstances", "rds:CreateDBInstance",
          "s3:CreateBucket", "s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:PutBucketVersioning", "s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration",
          "s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock", "s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration", "s3:GetReplicationConfiguration",
          "s3:GetBucketObjectLockConfiguration", "s3:GetBucketTagging", "s3:PutBucketTagging", "s3:ListBucket", "s3:ListBucketVersions", "s3:PutObject", "s3:GetObject",
          "route53:CreateHostedZone", "route53:ListHostedZonesByName", "route53:ChangeTagsForResource", "route53:ListTagsForResource"]}]}
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Signatures_are_right_and_the_policy_may_be_narrow()
    {
        if (MotoProcess.Missing is { } missing && Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail(missing);
        Assert.SkipWhen(MotoProcess.Missing is not null, MotoProcess.Missing ?? "");
        // The user, its policy and its key are the three calls that are not checked.
        await using var server = await MotoProcess.StartAsync(freeCalls: 3);
        var keys = await NewUserAsync(server.Address);
        using var connection = new AwsConnection(new() { Region = "eu-west-1", Endpoint = server.Address, Keys = keys });
        var databases = new DatabaseInstances(connection);
        var wanted = new NewDatabase { Identifier = "orders", Engine = "postgres", Class = "db.t3.medium", StorageGigabytes = 20, MasterUser = "platform" };

        Assert.Equal(Creation.Created, await databases.CreateAsync(wanted, "correct-horse-battery", Names.Owner, "op-1", Ct));
        Assert.Equal(Creation.Created, await new Buckets(connection).EnsureAsync(new() { Name = "signed-bucket", OldVersionDays = 30 }, Names.Owner, "op-1", Ct));
        Assert.NotNull(await new StoredObjects(connection, "signed-bucket").CreateAsync("a key/with spaces+signs", "x"u8.ToArray(), Ct));
        Assert.Equal(Creation.Created, (await new HostedZones(connection).EnsureAsync("signed.example.com", Names.Owner, "op-1", Ct)).Creation);
        Assert.EndsWith("user/provisioner", (await new AwsIdentity(connection).CallerAsync(Ct)).Arn, StringComparison.Ordinal);

        var denied = await Assert.ThrowsAsync<AdapterException>(() => databases.ChangeAsync("orders", new() { BackupDays = 3 }, Names.Owner, Ct));
        Assert.Equal(AdapterFailureKind.Forbidden, denied.Kind);
        Assert.Contains("rds:ModifyDBInstance", denied.Message, StringComparison.Ordinal);
        using var forged = new AwsConnection(new() { Region = "eu-west-1", Endpoint = server.Address, Keys = keys with { SecretAccessKey = "another-secret" } });
        var unknown = await Assert.ThrowsAsync<AdapterException>(() => new DatabaseInstances(forged).FindAsync("orders", Ct));
        Assert.Equal(AdapterFailureKind.Unauthorized, unknown.Kind);
        Assert.DoesNotContain(keys.SecretAccessKey, $"{keys}{unknown}{denied}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable_after_one_try()
    {
        using var connection = new AwsConnection(new() { Region = "eu-west-1", Endpoint = new("http://127.0.0.1:1"), Keys = new("id", "secret") });
        var failure = await Assert.ThrowsAsync<AdapterException>(() => new DatabaseInstances(connection).FindAsync("orders", Ct));
        Assert.Equal(AdapterFailureKind.Unavailable, failure.Kind);
        Assert.Contains("http://127.0.0.1:1", failure.Message, StringComparison.Ordinal);
    }

    private static async Task<AwsKeys> NewUserAsync(Uri server)
    {
        await CallAsync(server, new() { ["Action"] = "CreateUser", ["UserName"] = "provisioner" });
        await CallAsync(server, new() { ["Action"] = "PutUserPolicy", ["UserName"] = "provisioner", ["PolicyName"] = "narrow", ["PolicyDocument"] = Policy });
        var answer = await CallAsync(server, new() { ["Action"] = "CreateAccessKey", ["UserName"] = "provisioner" });
        return new(KeyId().Match(answer).Groups[1].Value, Secret().Match(answer).Groups[1].Value);
    }

    private static async Task<string> CallAsync(Uri server, Dictionary<string, string> form)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, server) { Content = new FormUrlEncodedContent(form.Append(new("Version", "2010-05-08"))) };
        request.Headers.TryAddWithoutValidation("Authorization", "AWS4-HMAC-SHA256 Credential=admin/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0");
        using var answer = await client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return text;
    }

    [GeneratedRegex("<AccessKeyId>(.*?)</AccessKeyId>")]
    private static partial Regex KeyId();

    [GeneratedRegex("<SecretAccessKey>(.*?)</SecretAccessKey>")]
    private static partial Regex Secret();
}

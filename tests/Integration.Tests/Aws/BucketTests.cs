using System.Text;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;

namespace PlatformOps.Integration.Tests.Aws;

/// <summary>Buckets and their objects against an S3 API.</summary>
public abstract class BucketTests(TestAws aws)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("us-east-1")]
    [InlineData("eu-west-1")]
    public async Task A_bucket_is_closed_encrypted_and_versioned_and_creating_it_again_adopts_it(string region)
    {
        using var connection = aws.Connect(region);
        var buckets = new Buckets(connection);
        var wanted = new WantedBucket { Name = Names.New("plain") };
        Assert.Null(await buckets.FindAsync(wanted.Name, Ct));

        Assert.Equal(Creation.Created, await buckets.EnsureAsync(wanted, Names.Owner, "op-1", Ct));
        Assert.Equal(Creation.Adopted, await buckets.EnsureAsync(wanted, Names.Owner, "op-2", Ct));

        var bucket = await buckets.FindAsync(wanted.Name, Ct);
        Assert.NotNull(bucket);
        Assert.Equal((true, true, "AES256"), (bucket.ClosedToPublic, bucket.Versioned, bucket.Encryption));
        Assert.Equal("op-1", bucket.Tags["platformops.io/created-by"]);
        Assert.True(await buckets.DeleteAsync(wanted.Name, Names.Owner, Ct));
        Assert.False(await buckets.DeleteAsync(wanted.Name, Names.Owner, Ct));
    }

    [Fact]
    public async Task Lifecycle_and_replication_are_brought_to_what_is_wanted()
    {
        using var here = aws.Connect("us-east-1");
        using var there = aws.Connect("eu-west-1");
        var target = new WantedBucket { Name = Names.New("target") };
        await new Buckets(there).EnsureAsync(target, Names.Owner, "op-1", Ct);
        var buckets = new Buckets(here);
        var wanted = new WantedBucket
        {
            Name = Names.New("source"),
            OldVersionDays = 30,
            ExpireDays = 365,
            Replication = new(target.Name, "arn:aws:iam::123456789012:role/replicator"),
        };
        await buckets.EnsureAsync(wanted, Names.Owner, "op-1", Ct);

        var bucket = await buckets.FindAsync(wanted.Name, Ct);
        Assert.Equal((30, 365, wanted.Replication), (bucket!.OldVersionDays, bucket.ExpireDays, bucket.Replication));

        await buckets.EnsureAsync(wanted with { OldVersionDays = 60, ExpireDays = null, Replication = null }, Names.Owner, "op-2", Ct);
        var changed = await buckets.FindAsync(wanted.Name, Ct);
        Assert.Equal((60, null, null), (changed!.OldVersionDays, changed.ExpireDays, changed.Replication));
    }

    [Fact]
    public async Task A_locked_version_cannot_be_deleted_by_anybody()
    {
        using var connection = aws.Connect();
        var buckets = new Buckets(connection);
        var wanted = new WantedBucket { Name = Names.New("locked"), LockDays = 3650 };
        await buckets.EnsureAsync(wanted, Names.Owner, "op-1", Ct);
        await buckets.EnsureAsync(wanted, Names.Owner, "op-1", Ct);
        Assert.Equal(3650, (await buckets.FindAsync(wanted.Name, Ct))!.LockDays);
        var objects = new StoredObjects(connection, wanted.Name);

        var version = (await objects.PutAsync("backup", "data"u8.ToArray(), Ct)).Version;
        var refused = await Assert.ThrowsAsync<AdapterException>(() => objects.DeleteVersionAsync("backup", version, Ct));

        Assert.Equal(AdapterFailureKind.Forbidden, refused.Kind);
        Assert.NotNull(await objects.GetAsync("backup", Ct));
        var known = await objects.LockAsync("backup", Ct);
        Assert.Equal(version, known!.Version);
        Assert.True(known.Until > DateTimeOffset.UtcNow.AddDays(3649), $"{known.Until}");
        Assert.Null(await objects.LockAsync("nothing", Ct));
    }

    [Fact]
    public async Task Takes_what_a_killed_creation_left_and_leaves_what_holds_something()
    {
        using var connection = aws.Connect();
        var buckets = new Buckets(connection);
        var (left, theirs) = (Names.New("left"), Names.New("theirs"));
        await CreateBareAsync(left);
        await CreateBareAsync(theirs);
        await new StoredObjects(connection, theirs).PutAsync("precious", "data"u8.ToArray(), Ct);

        Assert.Equal(Creation.Adopted, await buckets.EnsureAsync(new() { Name = left }, Names.Owner, "op-1", Ct));
        Assert.Equal("op-1", (await buckets.FindAsync(left, Ct))!.Tags["platformops.io/created-by"]);
        var refused = await Assert.ThrowsAsync<AdapterException>(() => buckets.EnsureAsync(new() { Name = theirs }, Names.Owner, "op-1", Ct));
        Assert.Equal(AdapterFailureKind.Conflict, refused.Kind);
        Assert.Contains("does not say whose it is", refused.Message, StringComparison.Ordinal);
        Assert.Equal(AdapterFailureKind.Conflict, (await Assert.ThrowsAsync<AdapterException>(() => buckets.EnsureAsync(new() { Name = left }, Names.Stranger, "op-1", Ct))).Kind);
        Assert.False((await buckets.FindAsync(theirs, Ct))!.Versioned);
    }

    [Fact]
    public async Task Exactly_one_of_eight_writers_creates_an_object_and_one_replaces_it()
    {
        using var connection = aws.Connect();
        var objects = await NewBucketAsync(connection);

        var created = await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => WinAsync(() => objects.CreateAsync("epoch", Encoding.UTF8.GetBytes($"1 {writer}"), Ct))));
        Assert.Single(created, won => won is not null);
        var seen = await objects.GetAsync("epoch", Ct);
        Assert.Equal(created.Single(won => won is not null)!.Tag, seen!.Version.Tag);

        var replaced = await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => WinAsync(() => objects.ReplaceAsync("epoch", Encoding.UTF8.GetBytes($"2 {writer}"), seen.Version.Tag, Ct))));
        Assert.Single(replaced, won => won is not null);
        Assert.Null(await objects.ReplaceAsync("epoch", "3"u8.ToArray(), seen.Version.Tag, Ct));
        Assert.Null(await objects.ReplaceAsync("nothing", "3"u8.ToArray(), seen.Version.Tag, Ct));
        Assert.StartsWith("2 ", Encoding.UTF8.GetString((await objects.GetAsync("epoch", Ct))!.Content.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reads_lists_and_deletes_objects()
    {
        using var connection = aws.Connect();
        var objects = await NewBucketAsync(connection);
        foreach (var key in new[] { "a/1", "a/2 with spaces & ümlaut", "b/1" })
            await objects.PutAsync(key, Encoding.UTF8.GetBytes(key), Ct);

        Assert.Equal(["a/1", "a/2 with spaces & ümlaut"], (await objects.ListAsync("a/", Ct)).Select(entry => entry.Key));
        Assert.Equal("a/2 with spaces & ümlaut", Encoding.UTF8.GetString((await objects.GetAsync("a/2 with spaces & ümlaut", Ct))!.Content.Span));
        Assert.Equal(3, (await objects.HeadAsync("b/1", Ct))!.Bytes);

        await objects.DeleteAsync("b/1", Ct);
        await objects.DeleteAsync("b/1", Ct);
        Assert.Null(await objects.GetAsync("b/1", Ct));
        Assert.Null(await objects.HeadAsync("b/1", Ct));
        Assert.Empty(await objects.ListAsync("b/", Ct));
    }

    [Fact]
    public async Task A_large_file_arrives_in_parts_and_whole()
    {
        using var connection = aws.Connect();
        var objects = await NewBucketAsync(connection);
        var content = new byte[17 * 1024 * 1024 + 11];
        new Random(7).NextBytes(content);
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, content, Ct);
            var version = await objects.UploadAsync("large", file, Ct);
            var read = await objects.GetAsync("large", Ct);
            Assert.True(content.AsSpan().SequenceEqual(read!.Content.Span));
            Assert.EndsWith("-3\"", version.Tag, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_bucket_that_is_missing_is_a_failure_and_never_an_object_that_is_not_there()
    {
        using var connection = aws.Connect();
        var objects = new StoredObjects(connection, Names.New("nowhere"));

        var read = await Assert.ThrowsAsync<AdapterException>(() => objects.GetAsync("x", Ct));
        var written = await Assert.ThrowsAsync<AdapterException>(() => objects.PutAsync("x", "x"u8.ToArray(), Ct));
        Assert.Equal((AdapterFailureKind.Missing, AdapterFailureKind.Missing), (read.Kind, written.Kind));
    }

    /// <summary>As another tool would, or a try of ours that died after its first call.</summary>
    private async Task CreateBareAsync(string name)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(aws.Address, $"/{name}"));
        request.Headers.TryAddWithoutValidation("Authorization", $"AWS4-HMAC-SHA256 Credential={aws.AccessKeyId}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0");
        using var answer = await client.SendAsync(request, Ct);
        Assert.True(answer.IsSuccessStatusCode);
    }

    private static async Task<StoredObjects> NewBucketAsync(AwsConnection connection)
    {
        var name = Names.New("objects");
        await new Buckets(connection).EnsureAsync(new() { Name = name }, Names.Owner, "op-1", Ct);
        return new(connection, name);
    }

    /// <summary>A writer that meets another one in the act is told to try again, and then learns that it lost.</summary>
    private static async Task<StoredVersion?> WinAsync(Func<Task<StoredVersion?>> write)
    {
        while (true)
        {
            try
            {
                return await write();
            }
            catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Moved)
            {
            }
        }
    }
}

public sealed class BucketTestsOnMoto(MotoServer aws) : BucketTests(aws);

public sealed class BucketTestsOnTheSandbox(SandboxAws aws) : BucketTests(aws);

using Google.Protobuf;
using Microsoft.Extensions.Time.Testing;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Codec;
using Temporalio.Api.Common.V1;
using Temporalio.Converters;

namespace PlatformOps.Integration.Tests.Codec;

/// <summary>What is encrypted, what is refused, and where keys come from.</summary>
public sealed class PayloadCodecTests : IDisposable
{
    private static readonly Payload Plain = new() { Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain") }, Data = ByteString.CopyFromUtf8("\"canary\"") };

    private readonly string folder = Directory.CreateTempSubdirectory("platformops-keys-").FullName;
    private readonly FakeTimeProvider clock = new();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task What_is_encrypted_carries_its_key_and_what_it_was_made_for_and_comes_back_anywhere()
    {
        Keep("first");
        var codec = new EncryptingPayloadCodec(Keys());
        var encrypted = await EncodeAsync(codec, new ISerializationContext.Workflow("runbooks", "drift/production"));
        Assert.Equal(
            ["encoding=binary/encrypted", "encryption-cipher=AES-256-GCM", "encryption-key-id=first", "encryption-namespace=runbooks", "encryption-workflow-id=drift/production"],
            encrypted.Metadata.Select(field => $"{field.Key}={field.Value.ToStringUtf8()}").Order(StringComparer.Ordinal));
        Assert.DoesNotContain("canary", encrypted.Data.ToStringUtf8(), StringComparison.Ordinal);
        Assert.NotEqual(encrypted.Data, (await EncodeAsync(codec, new ISerializationContext.Workflow("runbooks", "drift/production"))).Data);
        foreach (var elsewhere in new ISerializationContext?[] { null, new ISerializationContext.Workflow("moved", "drift/production-2026-11-26T05:00:00Z"), new ISerializationContext.Workflow("runbooks", "drift/production") })
            Assert.Equal(Plain, Assert.Single(await In(codec, elsewhere).DecodeAsync([encrypted])));
        Assert.Equal(Plain, Assert.Single(await codec.DecodeAsync([Plain])));
        Assert.Equal(Plain, Assert.Single(await codec.DecodeAsync([await EncodeAsync(codec, null)])));
    }

    [Theory]
    [InlineData("encryption-namespace", "other")]
    [InlineData("encryption-workflow-id", "drift/staging")]
    [InlineData("encryption-workflow-id", null)]
    [InlineData("encryption-key-id", "second")]
    [InlineData("data", "first byte")]
    [InlineData("data", "last byte")]
    [InlineData("data", "short")]
    public async Task What_was_changed_or_moved_by_hand_is_refused_with_the_keys_name(string field, string? value)
    {
        Keep("first");
        Keep("second");
        File.WriteAllText(Path.Combine(folder, "active"), "first");
        var codec = new EncryptingPayloadCodec(Keys());
        var encrypted = await EncodeAsync(codec, new ISerializationContext.Workflow("runbooks", "drift/production"));
        var data = encrypted.Data.ToByteArray();
        if (field != "data" && value is null)
            encrypted.Metadata.Remove(field);
        else if (field != "data")
            encrypted.Metadata[field] = ByteString.CopyFromUtf8(value);
        else if (value == "short")
            encrypted.Data = ByteString.CopyFrom(data, 0, 20);
        else
        {
            data[value == "first byte" ? 0 : ^1] ^= 1;
            encrypted.Data = ByteString.CopyFrom(data);
        }

        var failure = await Assert.ThrowsAsync<PayloadCodecException>(() => codec.DecodeAsync([encrypted]));
        Assert.Contains(field == "encryption-key-id" ? "key 'second' and is not, or was changed since" : "key 'first' and is not, or was changed since", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_added_is_found_and_a_switch_is_seen_without_a_restart()
    {
        Keep("first");
        var keys = Keys();
        var codec = new EncryptingPayloadCodec(keys);
        var old = await EncodeAsync(codec, null);
        Keep("second");
        File.WriteAllText(Path.Combine(folder, "active"), "second\n");
        var other = await EncodeAsync(new(new(() => CodecKeyFiles.ReadFolder(folder), clock)), null);
        Assert.Equal("second", other.Metadata["encryption-key-id"].ToStringUtf8());

        await Assert.ThrowsAsync<PayloadCodecException>(() => codec.DecodeAsync([other]));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(Plain, Assert.Single(await codec.DecodeAsync([other])));
        clock.Advance(CodecKeys.ReadEvery);
        Assert.Equal("second", keys.Current.Active.Id);
        Assert.Equal(Plain, Assert.Single(await codec.DecodeAsync([old])));

        // In the middle of being replaced: what was known counts.
        File.WriteAllText(Path.Combine(folder, "active"), "third");
        clock.Advance(CodecKeys.ReadEvery);
        Assert.Equal("second", keys.Current.Active.Id);
        File.Delete(Path.Combine(folder, "first"));
        File.WriteAllText(Path.Combine(folder, "active"), "second");
        clock.Advance(CodecKeys.ReadEvery);
        var failure = await Assert.ThrowsAsync<PayloadCodecException>(() => codec.DecodeAsync([old]));
        Assert.Contains("the key 'first', which this process does not have. It has second.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_keys_nothing_is_encrypted_and_what_is_encrypted_is_refused()
    {
        Keep("first");
        var encrypted = await EncodeAsync(new(Keys()), null);
        var codec = new EncryptingPayloadCodec(null);
        Assert.Equal(Plain, await EncodeAsync(codec, null));
        Assert.Contains("It has no keys at all", (await Assert.ThrowsAsync<PayloadCodecException>(() => codec.DecodeAsync([encrypted]))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("first", "AAAA", null, "holds no key of AES-256")]
    [InlineData("fir/st:", null, null, "")]
    [InlineData("first", null, "other", "the key 'other' is to encode, and there is none of that id. Known: first.")]
    public void A_folder_that_holds_something_else_is_refused_without_showing_it(string id, string? content, string? active, string problem)
    {
        if (problem.Length == 0)
        {
            Assert.False(CodecKey.IsId(id));
            return;
        }

        Keep(id, content);
        if (active is not null)
            File.WriteAllText(Path.Combine(folder, "active"), active);
        var failure = Assert.Throws<AdapterException>(() => CodecKeyFiles.ReadFolder(folder));
        Assert.Contains(problem, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("AAAA", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_keys_need_a_file_that_names_the_one_that_encodes_and_hidden_files_are_none()
    {
        Keep("first");
        Keep("..data");
        Assert.Equal("first", CodecKeyFiles.ReadFolder(folder).Active.Id);
        Keep("second");
        Assert.Contains("2 keys and no file 'active'", Assert.Throws<AdapterException>(() => CodecKeyFiles.ReadFolder(folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_in_a_variable_are_read_and_equal_keys_have_equal_fingerprints()
    {
        var (one, other) = (CodecKey.Generate().Reveal(), CodecKey.Generate().Reveal());
        var ring = CodecKeyFiles.ReadText($"a:{one}, b:{Convert.ToHexString(Convert.FromBase64String(one))},c:{other}", "V");
        Assert.Equal("c", ring.Active.Id);
        Assert.Equal(ring.Find("a")!.Fingerprint, ring.Find("b")!.Fingerprint);
        Assert.NotEqual(ring.Find("a")!.Fingerprint, ring.Find("c")!.Fingerprint);
        Assert.Equal(("b", true), CodecKeyFiles.ReadText($"a:{other}\nb:{one}\nc:{other}\nactive=b\n", "V") is var named ? (named.Active.Id, named.IsHandedOut) : default);
        var grown = CodecKeyFiles.ReadText(ring.WithAnother(new(2026, 11, 26)).WithAnother(new(2026, 11, 26)).Write().Reveal(), "V");
        Assert.Equal(("c", "2026-11-26-2", "2026-11-26-2"), (grown.Active.Id, grown.Newest.Id, CodecKeyFiles.ReadText(grown.WithNewestActive().Write().Reveal(), "V").Active.Id));
        Assert.Contains("an id is given twice", Assert.Throws<AdapterException>(() => CodecKeyFiles.ReadText($"a:{one},a:{other}", "V")).Message, StringComparison.Ordinal);
        Assert.Contains("V: entry 1 is not id:key", Assert.Throws<AdapterException>(() => CodecKeyFiles.ReadText(one, "V")).Message, StringComparison.Ordinal);
    }

    private CodecKeys Keys() => new(() => CodecKeyFiles.ReadFolder(folder), clock);

    private void Keep(string id, string? content = null) => File.WriteAllText(Path.Combine(folder, id), content ?? CodecKey.Generate().Reveal());

    private static IPayloadCodec In(EncryptingPayloadCodec codec, ISerializationContext? context) => context is null ? codec : codec.WithSerializationContext(context);

    private static async Task<Payload> EncodeAsync(EncryptingPayloadCodec codec, ISerializationContext? context) => Assert.Single(await In(codec, context).EncodeAsync([Plain]));
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Temporalio.Converters;

namespace PlatformOps.Adapters.Codec;

/// <summary>
/// Encrypts payloads with AES-256-GCM before they leave the process, and decrypts them when they come back. What was never encrypted passes as it is, so that histories of before and what operators type are read.
/// A payload carries in plain text, and authenticated: the id of its key, and the namespace and workflow id that it was made for where the SDK tells them. Decoding goes by what the payload carries, never
/// by the place where it is found: a schedule's input is made for the schedule's workflow id and read by runs with the time behind it.
/// </summary>
/// <param name="keys">Null: nothing is encrypted. What is encrypted is refused all the same: read as it is it would look like input that somebody typed wrongly.</param>
/// <param name="context">What the payloads are made for; null: not told.</param>
public sealed class EncryptingPayloadCodec(CodecKeys? keys, ISerializationContext.IHasWorkflow? context = null) : IPayloadCodec, IWithSerializationContext<IPayloadCodec>
{
    /// <summary>The encoding of encrypted payloads.</summary>
    public const string Encoding = "binary/encrypted";

    private const string Cipher = "AES-256-GCM", EncodingField = "encoding", CipherField = "encryption-cipher", KeyField = "encryption-key-id", SpaceField = "encryption-namespace", WorkflowField = "encryption-workflow-id";
    private const int NonceLength = 12, TagLength = 16;

    /// <inheritdoc/>
    public IPayloadCodec WithSerializationContext(ISerializationContext context) => new EncryptingPayloadCodec(keys, context as ISerializationContext.IHasWorkflow);

    /// <inheritdoc/>
    public Task<IReadOnlyCollection<Payload>> EncodeAsync(IReadOnlyCollection<Payload> payloads)
    {
        if (keys is null)
            return Task.FromResult(payloads);
        var key = keys.Current.Active;
        return Task.FromResult<IReadOnlyCollection<Payload>>([.. payloads.Select(payload => Encrypt(payload, key))]);
    }

    /// <inheritdoc/>
    /// <exception cref="PayloadCodecException">A payload cannot be decrypted; the message names the key's id.</exception>
    public Task<IReadOnlyCollection<Payload>> DecodeAsync(IReadOnlyCollection<Payload> payloads) => Task.FromResult<IReadOnlyCollection<Payload>>([.. payloads.Select(Decrypt)]);

    private Payload Encrypt(Payload payload, CodecKey key)
    {
        var encrypted = new Payload { Metadata = { [EncodingField] = ByteString.CopyFromUtf8(Encoding), [CipherField] = ByteString.CopyFromUtf8(Cipher), [KeyField] = ByteString.CopyFromUtf8(key.Id) } };
        if (context is not null)
            encrypted.Metadata[SpaceField] = ByteString.CopyFromUtf8(context.Namespace);
        if (context?.WorkflowId is { } workflow)
            encrypted.Metadata[WorkflowField] = ByteString.CopyFromUtf8(workflow);
        var plain = payload.ToByteArray();
        var data = new byte[NonceLength + plain.Length + TagLength];
        RandomNumberGenerator.Fill(data.AsSpan(0, NonceLength));
        using (var aes = new AesGcm(key.Value, TagLength))
            aes.Encrypt(data.AsSpan(0, NonceLength), plain, data.AsSpan(NonceLength, plain.Length), data.AsSpan(NonceLength + plain.Length), Bound(encrypted));
        CryptographicOperations.ZeroMemory(plain);
        encrypted.Data = UnsafeByteOperations.UnsafeWrap(data);
        return encrypted;
    }

    private Payload Decrypt(Payload payload)
    {
        if (Text(payload, EncodingField) != Encoding)
            return payload;
        var (cipher, id) = (Text(payload, CipherField), Text(payload, KeyField) ?? "");
        if (cipher != Cipher)
            throw new PayloadCodecException(AdapterFailureKind.Rejected, $"A payload is encrypted with '{cipher}' and key '{id}', and not by PlatformOps: {Cipher} is expected.");
        var key = keys?.Find(id) ?? throw new PayloadCodecException(
            AdapterFailureKind.Missing,
            $"A payload is encrypted with the key '{id}', which this process does not have. It has {(keys is null ? "no keys at all" : string.Join(", ", keys.Current.All.Select(known => known.Id)))}. Give it that key: see docs/payload-codec.md.");
        try
        {
            var data = payload.Data.Span;
            if (data.Length < NonceLength + TagLength)
                throw new AuthenticationTagMismatchException();
            var plain = new byte[data.Length - NonceLength - TagLength];
            using (var aes = new AesGcm(key.Value, TagLength))
                aes.Decrypt(data[..NonceLength], data[NonceLength..^TagLength], data[^TagLength..], plain, Bound(payload));
            return Payload.Parser.ParseFrom(plain);
        }
        catch (Exception failure) when (failure is AuthenticationTagMismatchException or InvalidProtocolBufferException)
        {
            throw new PayloadCodecException(
                AdapterFailureKind.Rejected, $"A payload says that it is encrypted with the key '{id}' and is not, or was changed since. The key '{id}' of this process has the fingerprint {key.Fingerprint}: compare it (platformops codec keys). See docs/payload-codec.md.");
        }
    }

    /// <summary>What is authenticated beside the data: each field with its length, so that no two are alike.</summary>
    private static byte[] Bound(Payload payload)
    {
        using var bound = new MemoryStream();
        Span<byte> length = stackalloc byte[4];
        foreach (var field in new[] { CipherField, KeyField, SpaceField, WorkflowField })
        {
            var value = payload.Metadata.TryGetValue(field, out var given) ? given.ToByteArray() : null;
            BinaryPrimitives.WriteInt32BigEndian(length, value?.Length ?? -1);
            bound.Write(length);
            bound.Write(value);
        }

        return bound.ToArray();
    }

    private static string? Text(Payload payload, string field) => payload.Metadata.TryGetValue(field, out var value) ? value.ToStringUtf8() : null;
}

/// <summary>A payload cannot be decrypted here. The message names its key.</summary>
public sealed class PayloadCodecException(AdapterFailureKind kind, string message) : AdapterException(kind, message);

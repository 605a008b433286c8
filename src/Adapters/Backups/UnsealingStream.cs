using System.Security.Cryptography;

namespace PlatformOps.Adapters.Backups;

/// <summary>Decrypts a sealed file while it is read. What it returns was written with this key, in this order, under this name.</summary>
/// <exception cref="AdapterException">In reading: it is another key's, damaged, or not whole.</exception>
public sealed class UnsealingStream(Stream input, SealingKey key, string name) : Stream
{
    private readonly byte[] box = new byte[SealedFormat.ChunkBytes + SealedFormat.TagBytes];
    private readonly byte[] ahead = new byte[1];
    private readonly byte[] chunk = new byte[SealedFormat.ChunkBytes];

    private AesGcm? cipher;
    private byte[] header = [];
    private int filled, taken, kept;
    private ulong number;
    private bool ended;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (taken == filled && !ended)
            await OpenAsync(cancellationToken);
        var part = Math.Min(buffer.Length, filled - taken);
        chunk.AsMemory(taken, part).CopyTo(buffer);
        taken += part;
        return part;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read asynchronously.");

    /// <inheritdoc/>
    public override void Flush() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        cipher?.Dispose();
        CryptographicOperations.ZeroMemory(chunk);
        base.Dispose(disposing);
    }

    private async ValueTask OpenAsync(CancellationToken ct)
    {
        if (cipher is null)
            await BeginAsync(ct);
        if (kept == 1)
            box[0] = ahead[0];
        var read = kept + await input.ReadAtLeastAsync(box.AsMemory(kept), box.Length - kept, throwOnEndOfStream: false, ct);
        // The last chunk is the one that nothing comes after.
        kept = read == box.Length ? await input.ReadAsync(ahead, ct) : 0;
        ended = kept == 0;
        if (read < SealedFormat.TagBytes)
            throw Damaged("it ends before its end");
        (filled, taken) = (read - SealedFormat.TagBytes, 0);
        try
        {
            cipher!.Decrypt(SealedFormat.Nonce(number++, ended), box.AsSpan(0, filled), box.AsSpan(filled, SealedFormat.TagBytes), chunk.AsSpan(0, filled), header);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw Damaged(ended ? "its end is missing or was changed" : "it was changed after it was written");
        }
    }

    private async ValueTask BeginAsync(CancellationToken ct)
    {
        header = new byte[SealedFormat.HeaderBytes];
        if (await input.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, ct) < header.Length || !header.AsSpan().StartsWith(SealedFormat.Mark))
            throw Damaged("it does not begin as a sealed file does");
        var id = Convert.ToHexStringLower(header.AsSpan(8, 8));
        if (id != key.Id)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{name} is encrypted with key {id}, and the key at hand is {key.Id}. Name the key that was in use when it was written.");
        cipher = key.Cipher(header.AsSpan(16), name);
    }

    private AdapterException Damaged(string how) => new(AdapterFailureKind.Damaged, $"{name} cannot be decrypted: {how}. Use another set, or another copy of this one.");
}

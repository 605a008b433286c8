using System.Security.Cryptography;

namespace PlatformOps.Adapters.Backups;

/// <summary>Encrypts what is written to it, chunk by chunk. A file that was not completed is refused when it is read.</summary>
/// <param name="name">What the file is; reading it needs the same name.</param>
public sealed class SealingStream(Stream output, SealingKey key, string name) : Stream
{
    private readonly byte[] salt = RandomNumberGenerator.GetBytes(SealedFormat.SaltBytes);
    private readonly byte[] chunk = new byte[SealedFormat.ChunkBytes];
    private readonly byte[] box = new byte[SealedFormat.ChunkBytes + SealedFormat.TagBytes];

    private AesGcm? cipher;
    private byte[] header = [];
    private int filled;
    private ulong number;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            // Only when more comes is a full chunk known not to be the last.
            if (filled == chunk.Length)
                await SealAsync(last: false, cancellationToken);
            var part = Math.Min(buffer.Length, chunk.Length - filled);
            buffer[..part].CopyTo(chunk.AsMemory(filled));
            filled += part;
            buffer = buffer[part..];
        }
    }

    /// <summary>Writes the last chunk. Without it the file does not count.</summary>
    public async Task CompleteAsync(CancellationToken ct)
    {
        await SealAsync(last: true, ct);
        await output.FlushAsync(ct);
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Write asynchronously.");

    /// <inheritdoc/>
    public override void Flush()
    {
        // A chunk is written when it is full: one that is shorter is the last.
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        cipher?.Dispose();
        CryptographicOperations.ZeroMemory(chunk);
        base.Dispose(disposing);
    }

    private async ValueTask SealAsync(bool last, CancellationToken ct)
    {
        if (cipher is null)
        {
            (cipher, header) = (key.Cipher(salt, name), SealedFormat.Header(key, salt));
            await output.WriteAsync(header, ct);
        }

        cipher.Encrypt(SealedFormat.Nonce(number++, last), chunk.AsSpan(0, filled), box.AsSpan(0, filled), box.AsSpan(filled, SealedFormat.TagBytes), header);
        await output.WriteAsync(box.AsMemory(0, filled + SealedFormat.TagBytes), ct);
        filled = 0;
    }
}

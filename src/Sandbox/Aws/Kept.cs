using System.Text.Json;

namespace PlatformOps.Sandbox.Aws;

/// <summary>The state of one service: read once, written after each call that may have changed it.</summary>
internal sealed class Kept<T>(AwsStorage storage, string path)
    where T : class, new()
{
    private byte[] written = [];

    public T Value { get; } = storage.Get(path) is { } bytes ? JsonSerializer.Deserialize<T>(bytes)! : new();

    public void Write()
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(Value);
        if (bytes.AsSpan().SequenceEqual(written))
            return;
        storage.Put(path, bytes);
        written = bytes;
    }
}

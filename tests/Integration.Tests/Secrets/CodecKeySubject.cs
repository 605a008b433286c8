using System.Collections.Concurrent;
using Google.Protobuf;
using PlatformOps.Adapters.Codec;
using Temporalio.Api.Common.V1;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>Pods that encrypt with the keys that they started with: one is let in when it can decrypt whatever any pod has encrypted so far.</summary>
internal sealed class CodecKeySubject : RotatedSubject
{
    private static readonly Payload Plain = new() { Data = ByteString.CopyFromUtf8("plan") };

    private readonly ConcurrentDictionary<string, Payload> encrypted = [];
    private readonly ConcurrentQueue<string> used = [];

    public override string Declared => "kind: codec-key";

    /// <summary>The keys that were encrypted with, in order of first use.</summary>
    public IReadOnlyCollection<string> Used => used;

    public override Task PrepareAsync(RotationWorld world, string login, string password) => world.PublishAsync(login, $"first:{CodecKey.Generate().Reveal()}");

    public override async Task<bool> LetsInAsync(string login, string password, string who)
    {
        var ring = CodecKeyFiles.ReadText(password, who);
        var codec = new EncryptingPayloadCodec(new(() => ring, TimeProvider.System));
        if (encrypted.TryAdd(ring.Active.Id, (await codec.EncodeAsync([Plain])).Single()))
            used.Enqueue(ring.Active.Id);
        try
        {
            return (await codec.DecodeAsync([.. encrypted.Values])).All(Plain.Equals);
        }
        catch (PayloadCodecException)
        {
            return false;
        }
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

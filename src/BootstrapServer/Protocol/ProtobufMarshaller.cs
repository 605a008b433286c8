using Google.Protobuf;
using Grpc.Core;

namespace PlatformOps.BootstrapServer.Protocol;

/// <summary>Reads and writes messages straight from and to the HTTP/2 buffers, without a copy in between.</summary>
internal static class ProtobufMarshaller<T>
    where T : class, IMessage<T>, new()
{
    private static readonly MessageParser<T> Parser = new(() => new T());

    public static Marshaller<T> Instance { get; } = Marshallers.Create(
        (message, context) =>
        {
            context.SetPayloadLength(message.CalculateSize());
            message.WriteTo(context.GetBufferWriter());
            context.Complete();
        },
        context => Parser.ParseFrom(context.PayloadAsReadOnlySequence()));
}

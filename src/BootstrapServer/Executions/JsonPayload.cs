using System.Text.Json;
using Google.Protobuf;
using Temporalio.Api.Common.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Payloads that the server itself writes: JSON, as the SDKs' default converter reads it.</summary>
internal static class JsonPayload
{
    public static Payloads Of(string text) => new() { Payloads_ = { Single(text) } };

    public static Payload Single(string text) => new()
    {
        Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain") },
        Data = ByteString.CopyFromUtf8("\"" + JsonEncodedText.Encode(text) + "\""),
    };
}

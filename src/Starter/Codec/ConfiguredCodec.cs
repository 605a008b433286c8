using PlatformOps.Adapters;
using PlatformOps.Adapters.Codec;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows;
using Temporalio.Converters;

namespace PlatformOps.Starter.Codec;

/// <summary>The payload codec of this process, as its environment says. Every command and worker uses it.</summary>
internal static class ConfiguredCodec
{
    /// <summary>A folder or file with keys: see <see cref="CodecKeyFiles.Read"/>.</summary>
    public const string Folder = "PLATFORMOPS_CODEC_KEYS";

    /// <summary>Keys themselves: see <see cref="CodecKeyFiles.ReadText"/>.</summary>
    public const string Text = "PLATFORMOPS_CODEC_KEY";

    private static readonly Lazy<CodecKeys?> Configured = new(Read);

    /// <summary>Null: nothing is encrypted.</summary>
    /// <exception cref="CommandFailure">What is configured cannot be used.</exception>
    public static CodecKeys? Keys => Configured.Value;

    /// <summary>For clients and workers.</summary>
    /// <remarks>That a key is missing is said in plain text: whoever has to bring it could not read it otherwise.</remarks>
    public static DataConverter Converter => PlatformOpsDataConverter.With(new EncryptingPayloadCodec(Keys), Keys is null ? null : failure => failure is not PayloadCodecException);

    private static CodecKeys? Read()
    {
        var (folder, text) = (Setting(Folder), Setting(Text));
        if (folder is not null && text is not null)
            throw new CommandFailure(ExitCode.Invalid, "The payload codec is configured twice.", $"{Folder} and {Text} are both set.", "Unset one of them: docs/payload-codec.md.");
        try
        {
            if (folder is not null)
                return new(() => CodecKeyFiles.Read(folder), TimeProvider.System);
            return text is not null ? new(() => CodecKeyFiles.ReadText(text, Text), TimeProvider.System) : null;
        }
        catch (AdapterException failure)
        {
            throw new CommandFailure(ExitCode.Invalid, "The payload codec cannot be used.", failure.Message, $"Correct what {(folder is null ? Text : Folder)} names: docs/payload-codec.md.", failure);
        }
    }

    private static string? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}

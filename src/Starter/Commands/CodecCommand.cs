using System.CommandLine;
using System.Net;
using Microsoft.AspNetCore.Connections;
using PlatformOps.Adapters.Codec;
using PlatformOps.Starter.Codec;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;

namespace PlatformOps.Starter.Commands;

/// <summary>The encryption of what runbooks leave at the Temporal server.</summary>
internal static class CodecCommand
{
    private const string NoKeys = "No keys are configured.";

    public static Command Create() => new CliCommand("codec", "The encryption of payloads: which keys this machine has, a new one, and the endpoint by which the Temporal UI decrypts.",
        new Example("codec new-key 2026-11 > keys/2026-11", "a new key, to be put where the others are"),
        new Example("codec keys", "which keys there are and which one encrypts; never the keys themselves"),
        new Example("codec serve --origin https://temporal.example.com --token-file token", "for the Temporal UI and temporal --codec-endpoint"))
    {
        KeysCommand(), NewKeyCommand(), ServeCommand(),
    };

    private static CliCommand KeysCommand() => new CliCommand(
        "keys", "Show which keys this machine has and which one encrypts. Equal fingerprints are equal keys; a fingerprint tells nothing about its key.", new Example("codec keys", $"of {ConfiguredCodec.Folder} or {ConfiguredCodec.Text}"))
        .Runs((invocation, _) =>
        {
            var ring = Keys().Current;
            foreach (var key in ring.All)
                invocation.Terminal.Line($"{key.Id}: fingerprint {key.Fingerprint}{(key == ring.Active ? "; encrypts" : "")}");
            invocation.Terminal.Result(new { active = ring.Active.Id, keys = ring.All.Select(key => new { key.Id, key.Fingerprint }) });
            return Task.FromResult(ExitCode.Success);
        });

    private static CliCommand NewKeyCommand()
    {
        var id = new Argument<string>("id") { Description = "What the key is called; it stands in plain text in every payload, for example 2026-11." };
        return new CliCommand("new-key", "Print a new key of 256 bits: the content of its file. It changes nothing.", new Example("codec new-key 2026-11 > keys/2026-11", "a file with its id as name"))
        {
            id,
        }
        .Runs((invocation, _) =>
        {
            var name = invocation.Get(id);
            if (!CodecKey.IsId(name))
                throw new CommandFailure(ExitCode.Usage, $"'{name}' cannot be a key's id.", "Letters, digits, dashes, dots and underscores are expected, at most 64.", "platformops codec new-key --help");
            var key = CodecKey.Generate().Reveal();
            invocation.Terminal.Line(key);
            invocation.Terminal.Result(new { id = name, key });
            return Task.FromResult(ExitCode.Success);
        });
    }

    private static CliCommand ServeCommand()
    {
        var listen = new Option<string>("--listen") { Description = "Where. Others than loopback need TLS and a token.", HelpName = "HOST:PORT", DefaultValueFactory = _ => "127.0.0.1:8081" };
        var origins = new Option<string[]>("--origin") { Description = "A page that may call it from a browser: the address of the Temporal UI without a path; repeatable.", HelpName = "URL" };
        var token = new Option<FileInfo>("--token-file") { Description = "Callers have to send the token in this file (Authorization: Bearer).", HelpName = "FILE" };
        var certificate = new Option<FileInfo>("--tls-cert-path") { Description = "Its certificate with intermediates, PEM; switches TLS on.", HelpName = "FILE" };
        var key = new Option<FileInfo>("--tls-key-path") { Description = "The certificate's key, PEM.", HelpName = "FILE" };
        return new CliCommand(
            "serve",
            "Encode and decode payloads for the Temporal UI and the temporal CLI until Ctrl-C. Whoever may call it reads everything.",
            new Example("codec serve", "on this machine only: temporal workflow show --codec-endpoint http://127.0.0.1:8081"),
            new Example("codec serve --listen 0.0.0.0:8081 --tls-cert-path tls.crt --tls-key-path tls.key --token-file token --origin https://temporal.example.com", "for others"))
        {
            listen, origins, token, certificate, key,
        }
        .Runs(async (invocation, ct) =>
        {
            var address = invocation.Get(listen)!;
            if (!IPEndPoint.TryParse(address, out var endPoint) || !address.Contains(':', StringComparison.Ordinal))
                throw new CommandFailure(ExitCode.Usage, $"--listen is '{address}'.", "An address and a port are expected, for example 127.0.0.1:8081.", "platformops codec serve --help");
            var options = new CodecServerOptions(endPoint, invocation.Get(origins) ?? [], invocation.Get(token)?.FullName, invocation.Get(certificate)?.FullName, invocation.Get(key)?.FullName);
            if ((options.CertificateFile is null) != (options.KeyFile is null))
                throw new CommandFailure(ExitCode.Usage, "One of --tls-cert-path and --tls-key-path is missing.", "TLS needs both.", "platformops codec serve --help");
            if (!IPAddress.IsLoopback(endPoint.Address) && options is not { CertificateFile: not null, TokenFile: not null })
                throw new CommandFailure(ExitCode.Usage, $"{address} is reachable from other machines.", "Whoever may call it reads every payload: it needs --tls-cert-path, --tls-key-path and --token-file.", "platformops codec serve --help");
            var keys = Keys();
            using var log = new ServerLog(invocation.Verbose);
            await using var server = await StartAsync(keys, options, log, ct);
            invocation.Terminal.Line($"Codec server: {server.Address}   POST /encode, /decode   GET /healthz");
            invocation.Terminal.Line($"  temporal workflow show --codec-endpoint {server.Address} --workflow-id ID");
            invocation.Terminal.Line("Ctrl-C ends it.");
            invocation.Terminal.Result(new { server.Address, origins = options.Origins, token = options.TokenFile is not null });
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return ExitCode.Success;
        });
    }

    private static CodecKeys Keys() => ConfiguredCodec.Keys ?? throw new CommandFailure(
        ExitCode.Invalid, NoKeys, $"Neither {ConfiguredCodec.Folder} nor {ConfiguredCodec.Text} is set: payloads are not encrypted.", "docs/payload-codec.md says how to begin.");

    private static async Task<CodecServer> StartAsync(CodecKeys keys, CodecServerOptions options, ServerLog log, CancellationToken ct)
    {
        try
        {
            return await CodecServer.StartAsync(keys, options, log, ct);
        }
        catch (IOException failure) when (failure.InnerException is AddressInUseException)
        {
            throw new CommandFailure(ExitCode.Busy, $"{options.Listen} is in use.", failure.Message, "Stop what listens there, or choose another with --listen.", failure);
        }
    }
}

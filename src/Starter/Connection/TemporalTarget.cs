using PlatformOps.Starter.Codec;
using PlatformOps.Starter.CommandLine;
using Temporalio.Client;
using Temporalio.Common.EnvConfig;

namespace PlatformOps.Starter.Connection;

/// <summary>Which Temporal server a command talks to, and why that one.</summary>
/// <param name="Options">For the SDK's client.</param>
/// <param name="Source">Where the address comes from, as a phrase.</param>
/// <param name="Instance">The <c>up</c> that it belongs to; null when it is another server.</param>
/// <param name="Chosen">Whether somebody chose the server; false: it is where an <c>up</c> of this machine would be.</param>
internal sealed record TemporalTarget(TemporalClientConnectOptions Options, string Source, RunningInstance? Instance, bool Chosen)
{
    /// <summary>The address when nothing says otherwise; the same as the SDK's and the <c>temporal</c> CLI's.</summary>
    public const string DefaultAddress = "localhost:7233";

    private static readonly string[] NamingAServer = ["TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE"];

    public string Address => Options.TargetHost ?? DefaultAddress;

    /// <summary>
    /// What <c>TEMPORAL_*</c> says when it names a server or a profile, else the <c>up</c> that runs on the data directory, else
    /// what the configuration file says, else <see cref="DefaultAddress"/>.
    /// </summary>
    public static TemporalTarget Find(string data)
    {
        if (!ConfiguredByEnvironment() && RunningInstance.Find(data) is { } instance)
            return new TemporalTarget(Common(new TemporalClientConnectOptions(instance.Address)), $"`platformops up` on {data}", instance, Chosen: false);

        TemporalClientConnectOptions options;
        try
        {
            options = ClientEnvConfig.LoadClientConnectOptions();
        }
        catch (InvalidOperationException failure)
        {
            throw new CommandFailure(
                ExitCode.Invalid, "The Temporal client configuration cannot be read.", failure.Message,
                "Correct the TEMPORAL_* variables or the configuration file that TEMPORAL_CONFIG_FILE names.", failure);
        }

        var chosen = options.TargetHost is not null;
        options.TargetHost ??= DefaultAddress;
        return new TemporalTarget(Common(options), chosen ? "TEMPORAL_* configuration" : "default", null, chosen);
    }

    /// <summary>A server that this process knows to run.</summary>
    public static TemporalTarget Of(string address, string source) =>
        new(Common(new TemporalClientConnectOptions(address)), source, null, Chosen: false);

    /// <summary>A server that was typed.</summary>
    /// <param name="address"><c>host:port</c>; null: that of the profile.</param>
    /// <param name="profile">Of the Temporal configuration file: namespace, TLS, API key; null: none of these.</param>
    /// <param name="otherwise">The namespace when neither says one.</param>
    public static TemporalTarget Named(string? address, string? space, string? profile, string otherwise)
    {
        if (address is null && profile is null)
            throw new CommandFailure(ExitCode.Usage, "Nothing says where to.", "--to or --to-profile is expected.", "platformops bootstrap pivot --help");
        TemporalClientConnectOptions options;
        try
        {
            options = profile is null ? new() { Namespace = otherwise } : ClientEnvConfig.LoadClientConnectOptions(new() { Profile = profile, DisableEnv = true });
        }
        catch (InvalidOperationException failure)
        {
            throw new CommandFailure(
                ExitCode.Invalid, $"The profile '{profile}' of the Temporal configuration file cannot be read.", failure.Message, "Correct the file that TEMPORAL_CONFIG_FILE names.", failure);
        }

        options.TargetHost = address ?? options.TargetHost ?? DefaultAddress;
        options.Namespace = space ?? options.Namespace;
        return new(Common(options), address is null ? $"profile {profile}" : "--to", null, Chosen: true);
    }

    /// <summary>Connects, or fails with a message that names the address.</summary>
    public async Task<TemporalClient> ConnectAsync(CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        try
        {
            return await TemporalClient.ConnectAsync(Options).WaitAsync(TimeSpan.FromSeconds(10), ct);
        }
        catch (Exception failure) when (failure is InvalidOperationException or TimeoutException or Temporalio.Exceptions.RpcException)
        {
            throw new CommandFailure(
                ExitCode.Unreachable,
                $"The Temporal server at {Address} cannot be reached.",
                $"{Reason(failure)} The address comes from: {Source}.",
                "Start one with `platformops up`, or set TEMPORAL_ADDRESS (and TEMPORAL_NAMESPACE, TLS or API key) to yours.",
                failure);
        }
    }

    /// <summary>The transport's own words bury the reason; the frequent ones are dug out.</summary>
    private static string Reason(Exception failure) => failure switch
    {
        TimeoutException => "It has not answered within 10 seconds.",
        _ when failure.Message.Contains("Connection refused", StringComparison.Ordinal) => "Nothing listens there (connection refused).",
        _ when failure.Message.Contains("code: Unauthenticated", StringComparison.Ordinal) =>
            "It does not accept who calls: TEMPORAL_API_KEY is not one of its keys, or it wants a client certificate (TEMPORAL_TLS_CLIENT_CERT_PATH, TEMPORAL_TLS_CLIENT_KEY_PATH).",
        _ when failure.Message.Contains("dns error", StringComparison.Ordinal) => "The host name cannot be resolved.",
        _ => $"{failure.Message.TrimEnd('.')}.",
    };

    private static bool ConfiguredByEnvironment() =>
        NamingAServer.Any(name => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name)));

    private static TemporalClientConnectOptions Common(TemporalClientConnectOptions options)
    {
        options.Identity ??= $"platformops@{Environment.MachineName}/{Environment.ProcessId}";
        options.DataConverter = ConfiguredCodec.Converter;
        options.Runtime = SdkRuntime.Instance;
        return options;
    }
}

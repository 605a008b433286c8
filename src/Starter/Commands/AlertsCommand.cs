using System.CommandLine;
using PlatformOps.Platform.Alerts;
using PlatformOps.Starter.Alerts;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using Temporalio.Client;

namespace PlatformOps.Starter.Commands;

/// <summary>The alert receiver.</summary>
internal static class AlertsCommand
{
    /// <summary>How long SNS may take to give its certificate.</summary>
    private static readonly TimeSpan Outside = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var file = new Option<FileInfo>("--config") { Description = "The receiver's configuration (YAML): senders, environments, routes.", HelpName = "FILE", Required = true };
        var check = new Option<bool>("--check") { Description = "Read the configuration, say what is wrong with it, and end." };
        return new CliCommand(
            "alerts",
            "Receive alerts (Alertmanager, CloudEvents, Amazon SNS) and hand each to the runbook of its environment, until Ctrl-C.",
            new Example("alerts --config alerts.yaml", "in the foreground; TEMPORAL_* says where runbooks run"),
            new Example("alerts --config alerts.yaml --check", "only look whether the configuration is right"))
        {
            file, check,
        }
        .Runs(async (invocation, ct) =>
        {
            var path = invocation.Get(file)!.FullName;
            var configuration = Read(path);
            if (invocation.Get(check))
            {
                invocation.Terminal.Line($"{path}: {configuration.Routes.Count} routes, {configuration.Environments.Count} environments.");
                invocation.Terminal.Result(new { file = path, routes = configuration.Routes.Select(route => route.Name), configuration.Environments });
                return ExitCode.Success;
            }

            var target = TemporalTarget.Find(invocation.Locations.Data);
            using var log = new ServerLog(invocation.Verbose);
            using var outside = new HttpClient { Timeout = Outside };
            // A server that is away for a moment must not keep the receiver from starting: it answers 503 until then.
            var delivery = new AlertDelivery(TemporalClient.CreateLazy(target.Options));
            await using var receiver = await StartAsync(configuration, path, delivery, outside, log, ct);
            invocation.Terminal.Line($"Alert receiver: {receiver.Address}   runbooks on {target.Address} (from: {target.Source})");
            invocation.Terminal.Line("  POST /v1/alertmanager, /v1/cloudevents, /v1/sns   GET /v1/dead-letters, /metrics, /healthz, /readyz");
            invocation.Terminal.Line("Ctrl-C ends it; senders send again what it has not accepted.");
            invocation.Terminal.Result(new { receiver.Address, temporal = target.Address });
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return ExitCode.Success;
        });
    }

    private static async Task<AlertReceiver> StartAsync(AlertConfiguration configuration, string path, AlertDelivery delivery, HttpClient outside, ServerLog log, CancellationToken ct)
    {
        try
        {
            return await AlertReceiver.StartAsync(configuration, Path.GetDirectoryName(path)!, delivery, outside, log, TimeProvider.System, ct);
        }
        catch (IOException failure) when (failure.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new CommandFailure(ExitCode.Busy, $"{configuration.Listen} is in use.", failure.Message, "Stop what listens there, or change listen in the configuration.", failure);
        }
    }

    private static AlertConfiguration Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Invalid, "The configuration cannot be read.", failure.Message, "platformops alerts --help", failure);
        }

        var read = AlertConfigurationReader.Read(path, text);
        return read.Configuration ?? throw new CommandFailure(
            ExitCode.Invalid, $"The configuration {path} has {(read.Problems.Count == 1 ? "1 problem" : $"{read.Problems.Count} problems")}.", "Each line says where and what would be right.", $"Correct them, then: platformops alerts --config {path} --check")
        {
            Problems = [.. read.Problems.Select(problem => problem.ToString())],
        };
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using PlatformOps.Platform.Secrets;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.Starter.Demos;

/// <summary>What came of it.</summary>
/// <param name="Outcome">That of the run's report.</param>
/// <param name="Rotated">Secrets that were.</param>
/// <param name="FailedAuthentications">Logins that PostgreSQL refused while the rotation went on, by its own log: of clients, and of ours.</param>
/// <param name="FailedHandshakes">TLS handshakes that failed; left out as long as nobody makes any.</param>
/// <param name="UnprovedConsumers">Consumers that are not proved to use the new value at the end.</param>
/// <param name="CanariesFound">Values of secrets that were found where none must be.</param>
internal sealed record RotationDemoResult(
    string Outcome, int Rotated, int FailedAuthentications,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? FailedHandshakes,
    int UnprovedConsumers, int CanariesFound);

/// <summary>The whole story of a rotation, live: pods log in all the time, their credentials are replaced, the old ones are refused, and no value is anywhere it must not be.</summary>
internal sealed class RotationDemo(Terminal terminal)
{
    private static readonly Dictionary<string, IReadOnlyList<string>> Logins = new() { ["shop"] = ["web", "jobs"], ["billing"] = ["web", "invoices"] };

    private static readonly TimeProvider Clock = TimeProvider.System;

    private readonly long began = Clock.GetTimestamp();
    private readonly StringBuilder said = new();

    public async Task<RotationDemoResult> RunAsync(CancellationToken ct)
    {
        Say("Starting PostgreSQL, Vault, a cluster with three Deployments, the bootstrap server and a worker ...");
        await using var world = await RotationDemoWorld.StartAsync(Logins, replicas: 2, timeScale: 1, ct);
        Say($"PostgreSQL: {world.Postgres.Address}, with the logins {string.Join(" and ", Logins.Keys)}; bootstrap server: {world.ServerAddress}.");
        await using var clients = new RotationClients(world, Clock);
        await FailoverWorld.UntilAsync("every pod logs in", () => Task.FromResult(clients.Logins > 200), ct);
        Say($"{clients.Pods} pods log in all the time with what they started with: {clients.Logins} logins so far.");

        var (scan, before) = (new CanaryScan(), new Dictionary<string, (string Login, string Password)>());
        foreach (var login in Logins.Keys)
            scan.LookFor($"the password of {login} of before", (before[login] = await world.PublishedAsync(login, ct)).Password);
        var report = await FollowAsync(world, ct);
        var refused = await world.Postgres.RefusedAsync(ct);
        Say($"{clients.Logins} logins so far; PostgreSQL refused {refused}{(clients.Refusals.Count > 0 ? $": {string.Join("; ", clients.Refusals.Take(3))}" : "")}.");
        await clients.DisposeAsync();

        var unproved = 0;
        foreach (var secret in report.Secrets)
        {
            var own = await world.Client.GetWorkflowHandle(RotateSecret.WorkflowId(RotationDemoWorld.Environment, secret.Secret.Name, secret.Secret.Region)).GetResultAsync<RotateSecretReport>();
            unproved += own.Consumers.Count(consumer => consumer.Standing != ConsumerStanding.Current);
            var (login, password) = await world.PublishedAsync(secret.Secret.Name, ct);
            scan.LookFor($"the password of {login}", password);
            Say($"{secret.Secret.Name}: {own.Consumers.Count} consumers are proved. {login} is let in: {InWords(await world.Postgres.LetsInAsync(login, password, "proof", ct))}; {before[secret.Secret.Name].Login} with the old password: {InWords(await world.Postgres.LetsInAsync(before[secret.Secret.Name].Login, before[secret.Secret.Name].Password, "proof", ct))}.");
        }

        await CanSeeAsync(world, ct);
        var runs = await world.ScanAsync(scan, ct);
        scan.Look("the console", said.ToString());
        foreach (var place in scan.Found)
            Say($"Found in {place}.");
        Say($"{2 * Logins.Count} passwords were looked for in the histories, memos and search attributes of {runs} runs, in the server's database, logs, metrics and on the console: {scan.Found.Count} found.");
        return new(
            JsonNamingPolicy.CamelCase.ConvertName(report.Outcome.ToString()), report.Secrets.Count(secret => secret.Outcome == RotationOutcome.Rotated), refused, null, unproved, scan.Found.Count);
    }

    /// <summary>Nets have holes: what is said openly has to be found by the same means.</summary>
    private static async Task CanSeeAsync(RotationDemoWorld world, CancellationToken ct)
    {
        var known = new CanaryScan();
        known.LookFor("the name of a secret", "billing@us-east-1");
        await world.ScanAsync(known, ct);
        if (!known.Found.Contains("histories: the name of a secret"))
            throw new CommandFailure(ExitCode.Failure, "The demo cannot see what it looks for.", "A name that every history has was not found in one.", "Report this.");
    }

    /// <summary>Says what the run does until it has ended.</summary>
    private async Task<RotateSecretsReport> FollowAsync(RotationDemoWorld world, CancellationToken ct)
    {
        var run = await world.Client.StartWorkflowAsync(nameof(RotateSecrets), [new RotateSecretsInput { Environment = RotationDemoWorld.Environment }], new(RotateSecrets.WorkflowId(RotationDemoWorld.Environment), TaskQueues.Default));
        Say("The rotation begins.");
        var ended = run.GetResultAsync<RotateSecretsReport>(followRuns: true, new() { CancellationToken = ct });
        var last = new Dictionary<string, string>();
        while (!ended.IsCompleted)
        {
            var status = await run.QueryAsync<RunbookStatus>("status", []);
            Once("all", status.Summary);
            foreach (var child in status.Steps.Select(step => step.WorkflowId).OfType<string>())
                await SayOfAsync(world, child, (step, line) => Once($"{child}/{step}", line));
            await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(200), Clock, ct));
        }

        var report = await ended;
        Say(report.Summary);
        return report;

        void Once(string what, string line)
        {
            if (last.GetValueOrDefault(what) != line)
                Say($"  {last[what] = line}");
        }
    }

    private static async Task SayOfAsync(RotationDemoWorld world, string child, Action<string, string> say)
    {
        try
        {
            var status = await world.Client.GetWorkflowHandle(child).QueryAsync<RunbookStatus>("status", []);
            foreach (var step in status.Steps.Where(step => step.State is StepState.Done or StepState.Running or StepState.Failed))
                say(step.Name, $"{child[(child.LastIndexOf('/') + 1)..]} {step.Name}: {JsonNamingPolicy.CamelCase.ConvertName(step.State.ToString())}. {step.Detail}");
        }
        catch (Temporalio.Exceptions.RpcException)
        {
            // It has not begun yet.
        }
    }

    private void Say(string line)
    {
        said.AppendLine(line);
        terminal.Progress(string.Create(CultureInfo.InvariantCulture, $"[{Clock.GetElapsedTime(began).TotalSeconds,6:0.0} s] {line}"));
    }

    private static string InWords(bool yes) => yes ? "yes" : "no";
}

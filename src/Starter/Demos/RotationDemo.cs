using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Kubernetes.Health;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Secrets;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.Starter.Demos;

/// <summary>What came of it.</summary>
/// <param name="Outcome"><c>rotated</c>: everything was; else <c>incomplete</c>.</param>
/// <param name="Rotated">Secrets, certificates and roots that were.</param>
/// <param name="FailedAuthentications">Logins that PostgreSQL refused while the rotation went on, by its own log: of clients, and of ours.</param>
/// <param name="FailedHandshakes">TLS handshakes between pods that failed; left out where consumers are measured and nobody makes any.</param>
/// <param name="UnprovedConsumers">Consumers that are not proved to use the new value, to serve the new certificate, or to trust the new root alone, at the end.</param>
/// <param name="CanariesFound">Values of secrets and private keys that were found where none must be.</param>
/// <param name="Measured">How long it took; left out unless consumers were asked for.</param>
internal sealed record RotationDemoResult(
    string Outcome, int Rotated, int FailedAuthentications,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? FailedHandshakes,
    int UnprovedConsumers, int CanariesFound,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RotationTimes? Measured = null);

/// <summary>How long a rotation took, beside what its consumers take.</summary>
/// <param name="ProvedAfterSeconds">From the moment when the new value was made until the last consumer was proved to use it.</param>
/// <param name="ReloadSeconds">The same consumers restarted afterwards, one after another, by somebody who waits for each rollout and does nothing else.</param>
internal sealed record RotationTimes(int Consumers, double ProvedAfterSeconds, double ReloadSeconds);

/// <summary>The whole story of a rotation, live: pods log in and make handshakes all the time, their credentials, certificates and the root of these are replaced, the old ones are refused, and no value is anywhere it must not be.</summary>
/// <param name="consumers">So many Deployments of one pod use one login, and the times are measured; null: the story.</param>
internal sealed partial class RotationDemo(Terminal terminal, int? consumers = null)
{
    private static readonly Dictionary<string, IReadOnlyList<string>> Story = new() { ["shop"] = ["web", "jobs"], ["billing"] = ["web", "invoices"] };

    /// <summary>Pods that are ready soon show what we add to their time.</summary>
    private const double QuickPods = 0.2;

    /// <summary>Of libraries that a rotation works with: their traces are looked at too.</summary>
    private static readonly string[] TracedBy = ["Npgsql", "System.Net.Http"];

    private static readonly TimeProvider Clock = TimeProvider.System;

    private readonly long began = Clock.GetTimestamp();
    private readonly StringBuilder said = new();

    /// <summary>Every login, and in the story a certificate and its root.</summary>
    private int Expected => Logins.Count + (consumers is null ? 2 : 0);

    private IReadOnlyDictionary<string, IReadOnlyList<string>> Logins { get; } =
        consumers is { } count ? new Dictionary<string, IReadOnlyList<string>> { ["shop"] = [.. Enumerable.Range(1, count).Select(number => $"c{number}")] } : Story;

    public async Task<RotationDemoResult> RunAsync(CancellationToken ct)
    {
        Say("Starting PostgreSQL, Vault, a cluster with some Deployments, the bootstrap server and a worker ...");
        await using var world = await RotationDemoWorld.StartAsync(Logins, replicas: consumers is null ? 2 : 1, timeScale: consumers is null ? 1 : QuickPods, certificates: consumers is null, ct);
        Say($"PostgreSQL: {world.Postgres.Address}, with the logins {string.Join(" and ", Logins.Keys)}; bootstrap server: {world.ServerAddress}.");
        await using var clients = new RotationClients(world, Clock);
        await FailoverWorld.UntilAsync("every pod logs in", () => Task.FromResult(clients.Logins > 200), ct, TimeSpan.FromMinutes(3));
        Say($"{clients.Pods} pods log in all the time with what they started with: {clients.Logins} logins so far.");

        var (scan, before) = (new CanaryScan(), new Dictionary<string, (string Login, string Password)>());
        foreach (var login in Logins.Keys)
            scan.LookFor($"the password of {login} of before", (before[login] = await world.PublishedAsync(login, ct)).Password);
        var report = await FollowAsync<RotateSecretsReport>(world, nameof(RotateSecrets), new RotateSecretsInput { Environment = RotationDemoWorld.Environment }, RotateSecrets.WorkflowId(RotationDemoWorld.Environment), ct);
        // Logins go on meanwhile, as handshakes did before.
        var (rotated, unproved) = consumers is null ? await RotateCertificatesAsync(world, ct) : (0, 0);
        var refused = await world.Postgres.RefusedAsync(ct);
        Say($"{clients.Logins} logins so far; PostgreSQL refused {refused}{(clients.Refusals.Count > 0 ? $": {string.Join("; ", clients.Refusals.Take(3))}" : "")}.");
        // Both under the same load.
        var times = consumers is null ? null : new RotationTimes(consumers.Value, await ProvedAfterAsync(world), await ReloadAsync(world, ct));
        await clients.DisposeAsync();
        if (consumers is null)
            await world.Pods.DisposeAsync();

        foreach (var secret in report.Secrets)
        {
            var own = await world.Client.GetWorkflowHandle(RotateSecret.WorkflowId(RotationDemoWorld.Environment, secret.Secret.Name, secret.Secret.Region)).GetResultAsync<RotateSecretReport>();
            unproved += own.Consumers.Count(consumer => consumer.Standing != ConsumerStanding.Current);
            var (login, password) = await world.PublishedAsync(secret.Secret.Name, ct);
            scan.LookFor($"the password of {login}", password);
            Say($"{secret.Secret.Name}: {own.Consumers.Count} consumers are proved. {login} is let in: {InWords(await world.Postgres.LetsInAsync(login, password, "proof", ct))}; {before[secret.Secret.Name].Login} with the old password: {InWords(await world.Postgres.LetsInAsync(before[secret.Secret.Name].Login, before[secret.Secret.Name].Password, "proof", ct))}.");
        }

        foreach (var key in world.Pods?.Keys.Keys ?? [])
            scan.LookForKey("a private key", key);
        await CanSeeAsync(world, Logins.Keys.First(), ct);
        var runs = await world.ScanAsync(scan, ct);
        scan.Look("the console", said.ToString());
        foreach (var place in scan.Found)
            Say($"Found in {place}.");
        Say($"{2 * Logins.Count} passwords and {world.Pods?.Keys.Count ?? 0} private keys were looked for in the histories, memos and search attributes of {runs} runs, in the server's database, logs, metrics, traces and on the console: {scan.Found.Count} found.");
        rotated += report.Secrets.Count(secret => secret.Outcome == RotationOutcome.Rotated);
        return new(
            rotated == Expected ? "rotated" : "incomplete", rotated, refused, consumers is null ? world.Pods!.Failures.Count : null, unproved, scan.Found.Count, times);
    }

    private static async Task<double> ProvedAfterAsync(RotationDemoWorld world)
    {
        var steps = (await world.Client.GetWorkflowHandle(RotateSecret.WorkflowId(RotationDemoWorld.Environment, "shop", RotationDemoWorld.Region)).QueryAsync<RunbookStatus>("status", [])).Steps;
        var (made, proved) = (steps.First(step => step.Name == "create").FinishedAt, steps.First(step => step.Name == "settle").StartedAt);
        return Math.Round((proved - made)!.Value.TotalSeconds, 2);
    }

    private static async Task<double> ReloadAsync(RotationDemoWorld world, CancellationToken ct)
    {
        var started = Clock.GetTimestamp();
        foreach (var deployment in world.Logins["shop"])
        {
            await new SecretConsumers(world.Cluster).RestartAsync(RotationDemoWorld.Space, $"Deployment/{deployment}", new Dictionary<string, int> { ["measured"] = 1 }, ct);
            while ((await new ClusterHealth(world.Cluster).RolloutAsync(new("Deployment", deployment, RotationDemoWorld.Space), ct, askPods: false)).State != GateState.Passed)
                await Task.Delay(TimeSpan.FromMilliseconds(20), Clock, ct);
        }

        return Math.Round(Clock.GetElapsedTime(started).TotalSeconds, 2);
    }

    /// <summary>Nets have holes: what is said openly has to be found by the same means.</summary>
    private static async Task CanSeeAsync(RotationDemoWorld world, string login, CancellationToken ct)
    {
        var known = new CanaryScan();
        known.LookFor("the name of a secret", $"{login}@{RotationDemoWorld.Region}");
        await world.ScanAsync(known, ct);
        if (!known.Found.Contains("histories: the name of a secret"))
            throw new CommandFailure(ExitCode.Failure, "The demo cannot see what it looks for.", "A name that every history has was not found in one.", "Report this.");
        if (TracedBy.Except(world.TraceSources).ToList() is { Count: > 0 } silent)
            throw new CommandFailure(ExitCode.Failure, "The demo cannot see what it looks for.", $"No trace of {string.Join(" and ", silent)} was heard, where there must be many.", "Report this.");
    }

    /// <summary>Says what the run does until it has ended.</summary>
    private async Task<TReport> FollowAsync<TReport>(RotationDemoWorld world, string runbook, object input, string id, CancellationToken ct)
        where TReport : notnull
    {
        var run = await world.Client.StartWorkflowAsync(runbook, [input], new(id, TaskQueues.Default));
        Say($"{runbook} begins.");
        var ended = run.GetResultAsync<TReport>(followRuns: true, new() { CancellationToken = ct });
        var last = new Dictionary<string, string>();
        while (!ended.IsCompleted)
        {
            var status = await run.QueryAsync<RunbookStatus>("status", []);
            Once("all", status.Summary);
            foreach (var child in status.Steps.Select(step => step.WorkflowId).OfType<string>())
                await SayOfAsync(world, child, (step, line) => Once($"{child}/{step}", line));
            foreach (var step in status.Steps.Where(step => step.WorkflowId is null && HasBegun(step)))
                Once(step.Name, InWords(step));
            await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(200), Clock, ct));
        }

        Say((await run.QueryAsync<RunbookStatus>("status", [])).Summary);
        return await ended;

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
            foreach (var step in status.Steps.Where(HasBegun))
                say(step.Name, $"{child[(child.LastIndexOf('/') + 1)..]} {InWords(step)}");
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

    private static bool HasBegun(RunbookStep step) => step.State is StepState.Done or StepState.Running or StepState.Failed;

    private static string InWords(RunbookStep step) => $"{step.Name}: {JsonNamingPolicy.CamelCase.ConvertName(step.State.ToString())}. {step.Detail}";

    private static string InWords(bool yes) => yes ? "yes" : "no";
}

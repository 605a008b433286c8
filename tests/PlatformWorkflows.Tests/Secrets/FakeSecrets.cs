using System.Collections.Concurrent;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Secrets;
using Temporalio.Exceptions;

namespace PlatformOps.PlatformWorkflows.Tests.Secrets;

/// <summary>Secrets in memory: each has two logins in turn and the consumers of one namespace, and remembers what was done to it.</summary>
internal sealed class FakeSecrets(params string[] names) : ISecretActivities
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Kept> secrets = (names.Length == 0 ? ["shop"] : names).ToDictionary(name => name, name => new Kept());
    private readonly Dictionary<(string Consumer, string Secret), int> stamped = [];
    private readonly ConcurrentQueue<(string Step, bool AfterEffect, bool Hopeless)> failures = [];

    /// <summary>Every step that took effect, as <c>name: step</c>, and every restart.</summary>
    public ConcurrentQueue<string> Events { get; } = [];

    public IReadOnlyList<string> Consumers { get; init; } = ["Deployment/web", "Deployment/jobs"];

    /// <summary>A consumer that the catalog does not know.</summary>
    public string? Stranger { get; set; }

    /// <summary>Up to which version one has to follow the other.</summary>
    public int GoesTo { get; init; }

    /// <summary>How many sessions there are with the previous login.</summary>
    public int Sessions { get; set; }

    /// <summary>The version with which there are any; null: all.</summary>
    public int? SessionsAt { get; init; }

    /// <summary>How many looks at something that was handed out find a server behind; null: there is no server.</summary>
    public int? Behind { get; set; }

    /// <summary>A consumer that does not take anything up.</summary>
    public string? Stubborn { get; set; }

    /// <summary>Whose stranger it is; null: everybody's.</summary>
    public string? StrangersSecret { get; init; }

    public bool Due { get; set; } = true;

    /// <summary>It may not be looked at.</summary>
    public bool Closed { get; set; }

    /// <summary>The next time that this step is carried out it fails.</summary>
    public FakeSecrets Fail(string step, bool afterEffect = false, bool hopeless = false)
    {
        failures.Enqueue((step, afterEffect, hopeless));
        return this;
    }

    public Task<FoundSecrets> FindSecretsAsync(FindSecretsInput input) => Task.FromResult(new FoundSecrets(
        [.. secrets.Where(secret => input.Names?.Contains(secret.Key) != false).Select(secret => new FoundSecret(
            new(input.Environment, "us-east-1", secret.Key), "space", $"secret-{secret.Key}", secret.Value.Version, DateTimeOffset.UnixEpoch, TimeSpan.FromDays(30), Due, secret.Value.Previous))]));

    /// <summary>What a leak reaches.</summary>
    public LeakPlan Reach { get; init; } = new([], [], "Nobody knows it.");

    public Task<LeakPlan> FindLeakAsync(FindLeakInput input) => Task.FromResult(Reach);

    public Task<SecretSight> ObserveSecretAsync(ObserveSecretInput input)
    {
        if (Closed)
            throw Failure(hopeless: true);
        lock (gate)
        {
            var name = input.Secret.Name;
            var kept = secrets[name];
            IEnumerable<SecretConsumer> strangers = Stranger is { } stranger && (StrangersSecret ?? name) == name ? [new(stranger, false, ConsumerStanding.Unknown, "Nobody knows it.")] : [];
            return Task.FromResult(new SecretSight(
                new(
                    kept.Pending is { } pending ? new(pending, Login(kept.Version + 1), 1, kept.Set ? CredentialStanding.Accepted : CredentialStanding.Refused) : null,
                    new(kept.Rotation, Login(kept.Version), kept.Version, CredentialStanding.Accepted),
                    kept.Previous ? new("", Login(kept.Version - 1), kept.Version - 1, CredentialStanding.Accepted) : null,
                    null, kept.Published == kept.Version,
                    [.. Consumers.Select(consumer => Consumer(consumer, name, kept.Version)), .. Server(kept), .. strangers],
                    kept.Previous ? new(Login(kept.Version - 1), SessionsAt is null || SessionsAt == kept.Version ? Sessions : 0, ["report from 10.0.0.7"]) : null,
                    DateTimeOffset.UtcNow, Places: [$"space/secret-{name}"], Further: kept.Version < GoesTo ? $"Version {kept.Version} was handed out; the next one follows." : null),
                TimeSpan.FromSeconds(1), "space", $"secret-{name}"));
        }
    }

    public Task<SecretStepResult> RotateStepAsync(SecretStepInput input)
    {
        lock (gate)
        {
            var step = System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName($"{input.Step}");
            var failing = failures.TryPeek(out var failure) && failure.Step == step && failures.TryDequeue(out failure);
            if (failing && !failure.AfterEffect)
                throw Failure(failure.Hopeless);
            CarryOut(secrets[input.Secret.Name], input);
            Events.Enqueue($"{input.Secret.Name}: {step}{(input.Consumers.Count > 0 ? $" {string.Join(' ', input.Consumers)}" : "")}");
            return failing ? throw Failure(failure.Hopeless) : Task.FromResult(new SecretStepResult("Done."));
        }
    }

    public Task<RestartedConsumer> RestartConsumerAsync(RestartConsumerInput input)
    {
        lock (gate)
        {
            foreach (var (secret, version) in input.Versions)
                stamped[(input.Consumer, secret)] = version;
            Events.Enqueue($"restart {input.Consumer}");
            return Task.FromResult(new RestartedConsumer(input.Consumer != Stubborn, input.Consumer == Stubborn, "It does not start."));
        }
    }

    private void CarryOut(Kept kept, SecretStepInput input)
    {
        switch (input.Step)
        {
            case RotationStep.Create:
                kept.Pending ??= input.Rotation;
                break;
            case RotationStep.Set:
                kept.Set = true;
                break;
            case RotationStep.Promote:
                (kept.Rotation, kept.Pending, kept.Set, kept.Previous) = (kept.Pending!, null, false, true);
                kept.Version++;
                break;
            case RotationStep.Publish:
                kept.Published = kept.Version;
                break;
            case RotationStep.Refresh:
                foreach (var consumer in input.Consumers)
                    stamped[(consumer, $"secret-{input.Secret.Name}")] = kept.Version;
                break;
            case RotationStep.Revoke:
                kept.Previous = false;
                break;
            case RotationStep.Withdraw:
                (kept.Pending, kept.Set) = (null, false);
                break;
            case RotationStep.Return:
                kept.Rotation = RotationPolicy.ReturnOf(input.Rotation);
                kept.Version++;
                break;
            default:
                throw new InvalidOperationException($"{input.Step} is not played.");
        }
    }

    private IEnumerable<SecretConsumer> Server(Kept kept)
    {
        if (Behind is not { } looks)
            return [];
        var behind = looks > 0 && kept.Previous && kept.Published == kept.Version;
        Behind = behind ? looks - 1 : looks;
        return [ServerProof.Judge("StatefulSet/db", kept.Version, [new("db-0", CredentialStanding.Accepted), new("db-1", behind ? CredentialStanding.Refused : CredentialStanding.Accepted)])];
    }

    private SecretConsumer Consumer(string consumer, string secret, int version) => stamped.GetValueOrDefault((consumer, $"secret-{secret}")) != version
        ? new(consumer, true, ConsumerStanding.Old, "It has an older one.") { Asked = IsAsked(consumer) }
        : consumer == Stubborn ? new(consumer, true, ConsumerStanding.Failed, "It does not start.") { Asked = IsAsked(consumer) } : new(consumer, true, ConsumerStanding.Current, "It has the current one.");

    private static bool IsAsked(string consumer) => consumer.StartsWith("Application/", StringComparison.Ordinal);

    private static string Login(int version) => version % 2 == 1 ? "shop" : "shop_clone";

    private static ApplicationFailureException Failure(bool hopeless) => new(
        hopeless ? "It is not allowed." : "There was no answer in time.", hopeless ? FailureTypes.Forbidden : FailureTypes.Unavailable, nonRetryable: hopeless);

    private sealed class Kept
    {
        public string Rotation { get; set; } = "adopted";

        public string? Pending { get; set; }

        public bool Set { get; set; }

        public int Version { get; set; } = 1;

        public int Published { get; set; } = 1;

        public bool Previous { get; set; }
    }
}

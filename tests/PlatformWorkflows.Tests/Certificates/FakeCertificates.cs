using System.Collections.Concurrent;
using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.PlatformWorkflows.Tests.Certificates;

/// <summary>Certificates in memory: each has a consumer that reloads and one that is restarted, and remembers what was done to it.</summary>
internal sealed class FakeCertificates(params string[] names) : ICertificateActivities
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Kept> certificates = (names.Length == 0 ? ["shop"] : names).ToDictionary(name => name, _ => new Kept());
    private readonly ConcurrentQueue<(string Step, bool AfterEffect, bool Hopeless)> failures = [];

    /// <summary>Every step that took effect, as <c>name: step</c>.</summary>
    public ConcurrentQueue<string> Events { get; } = [];

    /// <summary>When the authority was asked, by the clock of <see cref="Clock"/>.</summary>
    public ConcurrentQueue<DateTimeOffset> Issued { get; } = [];

    /// <summary>What issues are timed by.</summary>
    public Func<Task<DateTimeOffset>>? Clock { get; init; }

    public int PerMinute { get; init; } = 1000;

    /// <summary>A pod of the reloading consumer that keeps what it serves.</summary>
    public bool Refusing { get; set; }

    /// <summary>A consumer that the catalog does not know, of this certificate.</summary>
    public string? StrangersCertificate { get; set; }

    /// <summary>Nobody is found who serves any of them.</summary>
    public bool OfNobody { get; init; }

    /// <summary>cert-manager owns all of them.</summary>
    public bool CertManager { get; init; }

    public bool Due { get; set; } = true;

    /// <summary>It may not be looked at.</summary>
    public bool Closed { get; set; }

    /// <summary>The next time that this step is carried out it fails.</summary>
    public FakeCertificates Fail(string step, bool afterEffect = false, bool hopeless = false)
    {
        failures.Enqueue((step, afterEffect, hopeless));
        return this;
    }

    public Task<FoundCertificates> FindCertificatesAsync(FindCertificatesInput input)
    {
        lock (gate)
        {
            var found = certificates.Where(known => input.Names?.Contains(known.Key) != false).Select(known => new FoundCertificate(
                new(input.Environment, "us-east-1", known.Key), "internal@us-east-1", $"Secret space/{known.Key}-tls", FoundOwner.Ours, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch,
                Due && known.Value.Number == 1, false)).ToList();
            return Task.FromResult(new FoundCertificates(
                [.. found.Where(certificate => !input.ToRotate || certificate.Due).Where(certificate => !input.Except.Contains($"{certificate.Certificate}")).Take(input.AtMost)],
                found.Count, found.Count(certificate => certificate.Due), new Dictionary<string, int> { ["internal@us-east-1"] = PerMinute }));
        }
    }

    public Task<CertificateSight> ObserveCertificateAsync(ObserveCertificateInput input)
    {
        if (Closed)
            throw Failure(hopeless: true);
        lock (gate)
        {
            var kept = certificates[input.Certificate.Name];
            var (current, before) = (Print(kept.Number), Print(kept.Number - 1));
            List<CertificateConsumer> consumers =
            [
                new("Deployment/jobs", true, kept.Restarted == kept.Number ? RestartStanding.Restarted : RestartStanding.Old, "As it is.", [new("jobs-0", kept.Restarted == kept.Number ? current : before, "jobs-0 was asked.")]),
                new("Deployment/web", true, RestartStanding.Reloads, "It reloads.", [new("web-0", Refusing ? before : current, "web-0 was asked.")]),
            ];
            if (OfNobody)
                consumers.Clear();
            if (StrangersCertificate == input.Certificate.Name)
                consumers.Add(new("Pod/debug", false, RestartStanding.Old, "Nobody knows it.", []));
            return Task.FromResult(new CertificateSight(
                new(
                    CertManager ? CertificateOwner.CertManager : CertificateOwner.Ours,
                    new(current, current, kept.Rotation, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, ["shop.test"], LeafStanding.Valid), null,
                    kept.Replaced ? [new(before, LeafStanding.Valid)] : [], true, consumers, DateTimeOffset.UtcNow),
                TimeSpan.FromSeconds(1)));
        }
    }

    public async Task<CertificateStepResult> CertificateStepAsync(CertificateStepInput input)
    {
        if (input.Step == CertificateStep.Issue && Clock is not null)
            Issued.Enqueue(await Clock());
        lock (gate)
        {
            var step = System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName($"{input.Step}");
            var failing = failures.TryPeek(out var failure) && failure.Step == step && failures.TryDequeue(out failure);
            if (failing && !failure.AfterEffect)
                throw Failure(failure.Hopeless);
            CarryOut(certificates[input.Certificate.Name], input);
            Events.Enqueue($"{input.Certificate.Name}: {step}{(input.Consumers.Count > 0 ? $" {string.Join(' ', input.Consumers)}" : "")}");
            return failing ? throw Failure(failure.Hopeless) : new CertificateStepResult("Done.");
        }
    }

    public FakeAuthority Authority { get; } = new();

    public Task<AuthoritySight> ObserveAuthorityAsync(ObserveAuthorityInput input)
    {
        lock (gate)
            return Task.FromResult(new AuthoritySight(Authority.Observe(certificates.ToDictionary(known => known.Key, known => (known.Value.Number, known.Value.Restarted == known.Value.Number && !Refusing))), TimeSpan.FromSeconds(1)));
    }

    public Task<CertificateStepResult> AuthorityStepAsync(AuthorityStepInput input)
    {
        lock (gate)
        {
            var step = System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName($"{input.Step}");
            var failing = failures.TryPeek(out var failure) && failure.Step == step && failures.TryDequeue(out failure);
            if (failing && !failure.AfterEffect)
                throw Failure(failure.Hopeless);
            Authority.CarryOut(input);
            Events.Enqueue($"internal: {step}{(input.About is { } about ? $" {about}" : "")}");
            return failing ? throw Failure(failure.Hopeless) : Task.FromResult(new CertificateStepResult("Done."));
        }
    }

    private void CarryOut(Kept kept, CertificateStepInput input)
    {
        if (input.Fingerprint != Print(kept.Number))
            throw new ApplicationFailureException("It is another one by now.", FailureTypes.FactsChanged);
        switch (input.Step)
        {
            case CertificateStep.Issue:
                Authority.Signed(input.Certificate.Name, kept.Number + 1);
                (kept.Rotation, kept.Replaced) = (input.Rotation, true);
                kept.Number++;
                break;
            case CertificateStep.Refresh:
                kept.Restarted = kept.Number;
                break;
            case CertificateStep.Revoke:
                kept.Replaced = false;
                break;
            default:
                throw new InvalidOperationException($"{input.Step} is not played.");
        }
    }

    private static string Print(int number) => $"{number:00000000000000000000}";

    private static ApplicationFailureException Failure(bool hopeless) => new(
        hopeless ? "It is not allowed." : "There was no answer in time.", hopeless ? FailureTypes.Forbidden : FailureTypes.Unavailable, nonRetryable: hopeless);

    private sealed class Kept
    {
        public string Rotation { get; set; } = "";

        public int Number { get; set; } = 1;

        public int Restarted { get; set; }

        public bool Replaced { get; set; }
    }
}

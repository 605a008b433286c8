using System.Collections.Concurrent;
using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary>Loses every kind of step before its effect; then carries it out five times in a row, and loses that too.</summary>
internal sealed class LosingCertificateActivities(ICertificateActivities inner) : ICertificateActivities
{
    private readonly ConcurrentDictionary<CertificateStep, int> times = [];
    private readonly ConcurrentDictionary<AuthorityStep, int> authorityTimes = [];

    /// <summary>The steps that were met.</summary>
    public ICollection<CertificateStep> Steps => times.Keys;

    /// <summary>The steps of authorities that were met.</summary>
    public ICollection<AuthorityStep> AuthoritySteps => authorityTimes.Keys;

    public Task<FoundCertificates> FindCertificatesAsync(FindCertificatesInput input) => inner.FindCertificatesAsync(input);

    public Task<CertificateSight> ObserveCertificateAsync(ObserveCertificateInput input) => inner.ObserveCertificateAsync(input);

    public Task<AuthoritySight> ObserveAuthorityAsync(ObserveAuthorityInput input) => inner.ObserveAuthorityAsync(input);

    public Task<CertificateStepResult> CertificateStepAsync(CertificateStepInput input) => LosingAsync(times.AddOrUpdate(input.Step, 1, (_, before) => before + 1), () => inner.CertificateStepAsync(input));

    public Task<CertificateStepResult> AuthorityStepAsync(AuthorityStepInput input) => LosingAsync(authorityTimes.AddOrUpdate(input.Step, 1, (_, before) => before + 1), () => inner.AuthorityStepAsync(input));

    private static async Task<CertificateStepResult> LosingAsync(int time, Func<Task<CertificateStepResult>> step)
    {
        if (time == 1)
            throw Lost();
        var result = await step();
        for (var again = 0; time == 2 && again < 4; again++)
        {
            try
            {
                await step();
            }
            catch (ApplicationFailureException moved) when (moved.ErrorType == FailureTypes.FactsChanged)
            {
                // It is done, and is not done again.
            }
        }

        return time == 2 ? throw Lost() : result;
    }

    private static ApplicationFailureException Lost() => new("The worker is gone.", FailureTypes.Unavailable);
}

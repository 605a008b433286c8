using System.Collections.Concurrent;
using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary>Loses every kind of step twice, before its effect and after it, and then carries it out five times in a row.</summary>
internal sealed class LosingCertificateActivities(ICertificateActivities inner) : ICertificateActivities
{
    private readonly ConcurrentDictionary<CertificateStep, int> times = [];

    /// <summary>The steps that were met.</summary>
    public ICollection<CertificateStep> Steps => times.Keys;

    public Task<FoundCertificates> FindCertificatesAsync(FindCertificatesInput input) => inner.FindCertificatesAsync(input);

    public Task<CertificateSight> ObserveCertificateAsync(ObserveCertificateInput input) => inner.ObserveCertificateAsync(input);

    public async Task<CertificateStepResult> CertificateStepAsync(CertificateStepInput input)
    {
        var time = times.AddOrUpdate(input.Step, 1, (_, before) => before + 1);
        if (time == 1)
            throw Lost();
        var result = await inner.CertificateStepAsync(input);
        if (time == 2)
            throw Lost();
        for (var again = 0; again < 4; again++)
        {
            try
            {
                await inner.CertificateStepAsync(input);
            }
            catch (ApplicationFailureException moved) when (moved.ErrorType == FailureTypes.FactsChanged)
            {
                // It is done, and is not done again.
            }
        }

        return result;
    }

    private static ApplicationFailureException Lost() => new("The worker is gone.", FailureTypes.Unavailable);
}

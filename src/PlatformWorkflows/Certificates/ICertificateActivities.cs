using Temporalio.Activities;

namespace PlatformOps.Workflows.Certificates;

/// <summary>What rotations of certificates ask of the outside. No private key is in what they take or answer.</summary>
public interface ICertificateActivities
{
    /// <summary>The certificates of an environment: who owns each, until when it is valid, whether it is due. Changes nothing.</summary>
    [Activity]
    Task<FoundCertificates> FindCertificatesAsync(FindCertificatesInput input);

    /// <summary>Looks at the Secret, at Vault, and at what every pod serves. Changes nothing; what cannot be found out is unknown in the answer.</summary>
    [Activity]
    Task<CertificateSight> ObserveCertificateAsync(ObserveCertificateInput input);

    /// <summary>Carries one step out. Whatever was done of it before is not done again.</summary>
    [Activity]
    Task<CertificateStepResult> CertificateStepAsync(CertificateStepInput input);

    /// <summary>Looks at the roots in Vault, at everything that says whom to trust, and asks every pod whom it trusts. Changes nothing but that it has certificates signed for asking, which end within an hour.</summary>
    [Activity]
    Task<AuthoritySight> ObserveAuthorityAsync(ObserveAuthorityInput input);

    /// <summary>Carries one step of an authority's rotation out. Whatever was done of it before is not done again.</summary>
    [Activity]
    Task<CertificateStepResult> AuthorityStepAsync(AuthorityStepInput input);
}

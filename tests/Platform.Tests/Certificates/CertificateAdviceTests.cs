using PlatformOps.Platform.Certificates;

namespace PlatformOps.Platform.Tests.Certificates;

/// <summary>What a person is told about certificates that neither we nor cert-manager renew.</summary>
public sealed class CertificateAdviceTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    [Theory]
    [InlineData(90, null)]
    [InlineData(15, null)]
    [InlineData(13, "RDS has not renewed the server certificate of orders")]
    [InlineData(null, "RDS does not say")]
    public void A_server_certificate_of_RDS_is_for_AWS_until_it_is_late(int? days, string? expected) => Says(expected, CertificateAdvice.OfDatabase("orders", In(days), Now));

    [Theory]
    [InlineData(365, null)]
    [InlineData(80, "Add the next authority of RDS")]
    [InlineData(null, null)]
    public void An_authority_of_RDS_takes_longer_to_replace(int? days, string? expected) => Says(expected, CertificateAdvice.OfDatabaseAuthority("rds-ca-2019", ["orders"], In(days), Now));

    [Fact]
    public void Whoever_is_not_told_to_trust_an_authority_is_named()
    {
        Assert.Null(CertificateAdvice.OfTrust("ConfigMap a/b, ca.pem", "rds-ca-2019", named: true));
        Says("ConfigMap a/b, ca.pem does not name rds-ca-2019", CertificateAdvice.OfTrust("ConfigMap a/b, ca.pem", "rds-ca-2019", named: false));
    }

    [Theory]
    [InlineData(null, false, null, CertificateProblem.NoHandshake, "It made no handshake. See whether gitlab.example.com is up")]
    [InlineData(0, true, null, CertificateProblem.Expired, "The certificate has expired: whoever operates gitlab.example.com")]
    [InlineData(90, false, "no root", CertificateProblem.WrongName, "The certificate is not for gitlab.example.com")]
    [InlineData(90, true, "no root", CertificateProblem.Untrusted, "The certificate does not lead to an authority that clients trust (no root)")]
    [InlineData(13, true, null, null, "Whoever operates gitlab.example.com has to renew it.")]
    [InlineData(15, true, null, null, null)]
    public void A_server_of_somebody_else_is_for_whoever_operates_it(int? days, bool isForName, string? untrusted, CertificateProblem? problem, string? expected)
    {
        Says(expected, CertificateAdvice.OfEndpoint("gitlab.example.com", In(days), isForName, untrusted, "It made no handshake.", Now));
        Assert.Equal(problem, CertificateAdvice.ProblemOf(In(days), isForName, untrusted, Now));
    }

    private static DateTimeOffset? In(int? days) => days is { } number ? Now.AddDays(number) : null;

    private static void Says(string? expected, string? advice)
    {
        if (expected is null)
            Assert.Null(advice);
        else
            Assert.StartsWith(expected, advice, StringComparison.Ordinal);
    }
}

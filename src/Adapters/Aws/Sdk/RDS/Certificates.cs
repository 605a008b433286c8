using Amazon.Runtime;

namespace PlatformOps.Adapters.Aws.Sdk.RDS.Model;

internal sealed class DescribeCertificatesRequest : AmazonWebServiceRequest
{
    public string? CertificateIdentifier { get; set; }

    public int? MaxRecords { get; set; }

    public string? Marker { get; set; }
}

internal sealed class DescribeCertificatesResponse : AmazonWebServiceResponse
{
    public List<Certificate>? Certificates { get; set; }

    public string? Marker { get; set; }
}

internal sealed class Certificate
{
    public string? CertificateIdentifier { get; set; }

    public string? CertificateType { get; set; }

    public string? Thumbprint { get; set; }

    public DateTime? ValidFrom { get; set; }

    public DateTime? ValidTill { get; set; }

    public string? CertificateArn { get; set; }
}

internal sealed class CertificateDetails
{
    public string? CAIdentifier { get; set; }

    public DateTime? ValidTill { get; set; }
}

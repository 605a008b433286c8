namespace PlatformOps.Adapters.Aws.Databases;

/// <summary>A certificate authority of RDS.</summary>
/// <param name="Name">RDS's: <c>rds-ca-rsa2048-g1</c>.</param>
/// <param name="Thumbprint">SHA-1 of its certificate, in lower-case hexadecimal digits: RDS tells no other.</param>
/// <param name="NotAfter">Null: RDS does not say.</param>
public sealed record DatabaseAuthority(string Name, string Thumbprint, DateTimeOffset? NotAfter);

/// <summary>Who signs the server certificates of managed databases in a region.</summary>
public sealed class DatabaseAuthorities(AwsConnection connection)
{
    private const int PageSize = 100;

    public async Task<IReadOnlyList<DatabaseAuthority>> ListAsync(CancellationToken ct)
    {
        List<DatabaseAuthority> found = [];
        string? marker = null;
        do
        {
            var after = marker;
            var page = await connection.CallAsync("list", "certificate authorities of RDS", token => connection.Rds.DescribeCertificatesAsync(new() { MaxRecords = PageSize, Marker = after }, token), ct);
            found.AddRange((page.Certificates ?? []).Where(authority => authority.CertificateIdentifier is not null)
                .Select(authority => new DatabaseAuthority(authority.CertificateIdentifier!, (authority.Thumbprint ?? "").Replace(":", "", StringComparison.Ordinal).ToLowerInvariant(), authority.ValidTill)));
            marker = page.Marker;
        }
        while (!string.IsNullOrEmpty(marker));
        return found;
    }
}

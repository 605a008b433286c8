namespace PlatformOps.Platform.Provisioning;

/// <summary>Names one object of the world.</summary>
/// <param name="Region">The region whose cluster holds it.</param>
/// <param name="ApiVersion">For example <c>apps/v1</c>; <c>temporal.platformops.io/v1</c> addresses the platform's own Temporal cluster.</param>
/// <param name="Namespace">Null for cluster-scoped objects.</param>
public sealed record ResourceAddress(string Region, string ApiVersion, string Kind, string? Namespace, string Name)
{
    /// <summary>The group of objects that live in the platform's own Temporal cluster instead of Kubernetes.</summary>
    public const string TemporalApiVersion = "temporal.platformops.io/v1";

    /// <summary>The group of objects that AWS holds.</summary>
    public const string AwsApiVersion = "aws.platformops.io/v1";

    /// <summary>The group of databases, roles and replication slots of a PostgreSQL server.</summary>
    public const string PostgresqlApiVersion = "postgresql.platformops.io/v1";

    /// <summary><c>us-east-1 Deployment temporal-backend/temporal-frontend</c>.</summary>
    public override string ToString() =>
        Namespace is null ? $"{Region} {Kind} {Name}" : $"{Region} {Kind} {Namespace}/{Name}";
}

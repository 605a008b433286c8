namespace PlatformOps.Platform.Secrets;

/// <summary>What a secret is a credential for, which decides how a new one is made, tried and how the old one is revoked.</summary>
public enum RotationKind
{
    /// <summary>A login of PostgreSQL. Two users take turns, so that the old one works until nobody uses it: the name of the second is that of the first with <c>_clone</c>.</summary>
    PostgresqlUsers,

    /// <summary>A value that nobody but its consumers knows, such as a signing key: there is no system that could be asked whether it is accepted.</summary>
    Value,
}

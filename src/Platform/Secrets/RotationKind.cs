namespace PlatformOps.Platform.Secrets;

/// <summary>What a secret is a credential for, which decides how a new one is made, tried and how the old one is revoked.</summary>
public enum RotationKind
{
    /// <summary>A login of PostgreSQL. Two users take turns, so that the old one works until nobody uses it: the name of the second is that of the first with <c>_clone</c>.</summary>
    PostgresqlUsers,

    /// <summary>A native user of Elasticsearch. Two users take turns as for PostgreSQL, with the same roles.</summary>
    ElasticsearchUsers,

    /// <summary>A user of Redis, which has two passwords while both are needed.</summary>
    RedisUsers,

    /// <summary>An access key of an IAM user. AWS makes it; a user has at most two.</summary>
    IamAccessKeys,

    /// <summary>A secret id of an AppRole. Vault makes it; there can be many.</summary>
    AppRoleSecretId,

    /// <summary>A token of Vault that lives as long as it is renewed, such as our own.</summary>
    VaultToken,

    /// <summary>A token that a service with an API of its own makes, beside those that it made before.</summary>
    ServiceToken,

    /// <summary>A password at a service with an API of its own. There is one at a time: from the moment it is set until a consumer is restarted, that consumer is refused.</summary>
    ServicePassword,

    /// <summary>The keys of the payload codec. In two phases: a new key is handed out beside the others, and only when every consumer is proved to have it, it is the one that encrypts. No key is ever taken away.</summary>
    CodecKey,

    /// <summary>A value that nobody but its consumers knows, such as a signing key: there is no system that could be asked whether it is accepted.</summary>
    Value,
}

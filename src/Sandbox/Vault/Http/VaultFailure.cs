namespace PlatformOps.Sandbox.Vault.Http;

/// <summary>A refusal, as Vault words it: a status code and a list of errors.</summary>
internal sealed class VaultFailure(int code, params string[] errors) : Exception(string.Join("; ", errors))
{
    public int Code => code;

    public IReadOnlyList<string> Errors => errors;

    public int? RetryAfter { get; init; }

    public static VaultFailure Rejected(string error) => new(400, error);

    /// <summary>There is no such thing: the list of errors is empty.</summary>
    public static VaultFailure Missing() => new(404);

    public static VaultFailure NoRoute(string path) => new(404, $"no handler for route \"{path}\". route entry not found.");

    public static VaultFailure UnsupportedPath() => new(404, Listed("unsupported path"));

    public static VaultFailure UnsupportedOperation() => new(405, Listed("unsupported operation"));

    public static VaultFailure Denied() => new(403, Listed("permission denied"));

    public static VaultFailure InvalidToken() => new(403, Listed("permission denied", "invalid token"));

    public static VaultFailure Sealed() => new(503, "Vault is sealed");

    /// <summary>Something that the real server would do and this one does not.</summary>
    public static VaultFailure NotPlayed(string what) => new(400, $"the sandbox does not play {what}");

    private static string Listed(params string[] errors) =>
        $"{errors.Length} {(errors.Length == 1 ? "error" : "errors")} occurred:\n{string.Concat(errors.Select(error => $"\t* {error}\n"))}\n";
}

using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace PlatformOps.Adapters.Postgres;

/// <summary>Says what a refusal of PostgreSQL means, in words that name the server and the next step; never a password.</summary>
internal sealed class PostgresFailures(string address)
{
    public AdapterException ReadOnly() => new(
        AdapterFailureKind.Unavailable, $"PostgreSQL at {address} takes no writes: it is a standby or was made read-only. Address the primary, or find out who made it so.");

    public AdapterException Unsafe(string said) => new(
        AdapterFailureKind.Unavailable, $"PostgreSQL at {address} commits without its standby: {said}. Look at the standby and at synchronous_standby_names.");

    public AdapterException Of(string what, Exception failure)
    {
        var name = $"PostgreSQL at {address}";
        return failure switch
        {
            PostgresException { SqlState: "28P01" or "28000" } refused => new(
                AdapterFailureKind.Unauthorized, $"{name} does not accept our login: {refused.MessageText}. Renew the password in its file, or correct the user, then retry.", failure),
            PostgresException { SqlState: "42501" } refused => new(AdapterFailureKind.Forbidden, $"{name} does not let us {what}: {refused.MessageText}. Grant it to our user, then retry.", failure),
            PostgresException { SqlState: "3D000" } missing => new(AdapterFailureKind.Missing, $"{name}: {missing.MessageText}. Create it, or correct database in the connections file.", failure),
            PostgresException { SqlState: "25006" } => ReadOnly(),
            PostgresException { SqlState: "42P04" or "42710" } there => new(AdapterFailureKind.Exists, $"{name} cannot {what}: {there.MessageText}. Observe again.", failure),
            PostgresException { SqlState: ['4', '0', ..] or ['X', 'X', ..] or "23505" } meanwhile => new(AdapterFailureKind.Moved, $"{name} could not {what}: somebody else changed the same ({meanwhile.MessageText}). Observe again.", failure),
            PostgresException { SqlState: "55006" } used => new(AdapterFailureKind.Unavailable, $"{name} cannot {what}: {used.MessageText}. Let its users go, then retry.", failure),
            // Starting up, shutting down, too many connections, out of disk or memory.
            PostgresException { SqlState: ['5', '3' or '7' or '8', ..] } trouble => new(AdapterFailureKind.Unavailable, $"{name} does not {what}: {trouble.MessageText}.", failure),
            PostgresException refused => new(AdapterFailureKind.Rejected, $"{name} refuses to {what} ({refused.SqlState}): {refused.MessageText}.", failure),
            _ when Inner<AuthenticationException>(failure) is { } tls => new(
                AdapterFailureKind.Unavailable, $"{name} cannot be reached: its TLS certificate is not trusted ({tls.Message.TrimEnd('.')}). Correct certificateAuthority in the connections file.", failure),
            _ when Inner<TimeoutException>(failure) is not null => new(
                AdapterFailureKind.Unavailable, $"{name} did not {what} in time: it is overloaded, or its commits wait for a standby that does not answer.", failure),
            _ => new(AdapterFailureKind.Unavailable, $"{name} cannot be reached: {(Inner<SocketException>(failure)?.Message ?? failure.Message).TrimEnd('.')}. Check that it is up and that this machine reaches that address.", failure),
        };
    }

    private static T? Inner<T>(Exception failure)
        where T : Exception
    {
        for (var at = failure; at is not null; at = at.InnerException)
            if (at is T found)
                return found;
        return null;
    }
}

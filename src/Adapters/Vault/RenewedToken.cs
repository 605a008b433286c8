namespace PlatformOps.Adapters.Vault;

/// <summary>Logs in, renews the token in good time, and logs in again when it cannot be renewed any longer. While Vault is out of reach, the token that is
/// there is used for as long as it lives.</summary>
/// <param name="login">How to log in: <see cref="VaultLogins"/>.</param>
public sealed class RenewedToken(Func<VaultConnection, CancellationToken, Task<VaultLogin>> login) : IVaultTokenSource, IDisposable
{
    /// <summary>Of its life, after which it is renewed: two attempts remain if the first one fails.</summary>
    private const double RenewedAfter = 2.0 / 3;

    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim gate = new(1);
    private Held? held;
    private volatile bool doubted;

    /// <inheritdoc/>
    public async Task<SecretText> TokenAsync(VaultConnection connection, CancellationToken ct)
    {
        await gate.WaitAsync(ct);
        try
        {
            var now = connection.Options.TimeProvider.GetUtcNow();
            if (held is { } known && doubted && !await IsKnownAsync(connection, known.Token, ct))
                held = null;
            doubted = false;
            if (held is null || now >= held.Ends)
                held = Of(await login(connection, ct), now);
            else if (now >= held.RenewAt)
                held = await RenewedAsync(connection, held, now, ct);
            return held.Token;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Keeps the token alive until cancelled, so that it survives times in which nobody calls.</summary>
    public async Task KeepAliveAsync(VaultConnection connection, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                await TokenAsync(connection, ct);
            }
            catch (VaultException)
            {
                // Whoever calls meanwhile hears of it; here it is tried again.
            }

            var time = connection.Options.TimeProvider;
            var wait = held is { } known ? known.RenewAt - time.GetUtcNow() : BetweenAttempts;
            await Task.Delay(wait > BetweenAttempts ? wait < LongestDelay ? wait : LongestDelay : BetweenAttempts, time, ct);
        }
    }

    /// <inheritdoc/>
    public void Doubt(SecretText token) => doubted = true;

    /// <inheritdoc/>
    public void Dispose() => gate.Dispose();

    private static TimeSpan LongestDelay => TimeSpan.FromDays(1);

    private async Task<Held> RenewedAsync(VaultConnection connection, Held held, DateTimeOffset now, CancellationToken ct)
    {
        try
        {
            // At its longest life a renewal no longer lengthens it: what comes back is shorter than what was asked for, and then is not renewed.
            var renewed = held.Renewable ? await VaultTokens.RenewAsync(connection, held.Token, held.Life, ct) : null;
            if (renewed is not null && renewed.Ttl > held.Life / 2)
                return Of(renewed, now) with { Life = held.Life };
        }
        catch (VaultException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            return held with { RenewAt = now + BetweenAttempts };
        }
        catch (VaultException)
        {
            // It cannot be renewed: a new one is needed.
        }

        return await AgainAsync(connection, held, now, ct);
    }

    private async Task<Held> AgainAsync(VaultConnection connection, Held held, DateTimeOffset now, CancellationToken ct)
    {
        try
        {
            return Of(await login(connection, ct), now);
        }
        catch (VaultException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            return held with { RenewAt = now + BetweenAttempts };
        }
    }

    private static async Task<bool> IsKnownAsync(VaultConnection connection, SecretText token, CancellationToken ct)
    {
        try
        {
            await VaultTokens.LookUpAsync(connection, token, ct);
            return true;
        }
        catch (VaultException failure) when (failure.Kind is AdapterFailureKind.Forbidden or AdapterFailureKind.Unauthorized)
        {
            return false;
        }
        catch (VaultException)
        {
            // Nothing is proved; the call that follows will show.
            return true;
        }
    }

    private static Held Of(VaultLogin login, DateTimeOffset now) => new(
        login.Token, login.Ttl, login.Ttl > TimeSpan.Zero ? now + login.Ttl : DateTimeOffset.MaxValue,
        login.Ttl > TimeSpan.Zero ? now + (login.Ttl * RenewedAfter) : DateTimeOffset.MaxValue, login.Renewable);

    private sealed record Held(SecretText Token, TimeSpan Life, DateTimeOffset Ends, DateTimeOffset RenewAt, bool Renewable);
}

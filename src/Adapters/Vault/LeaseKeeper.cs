using PlatformOps.Platform.Secrets;

namespace PlatformOps.Adapters.Vault;

/// <summary>Something that Vault handed out.</summary>
/// <param name="Name">Tells it from others; not the secret itself.</param>
/// <param name="Ttl">How long it lives from now; zero: for ever.</param>
internal sealed record VaultGrant<T>(T Value, string Name, TimeSpan Ttl, bool Renewable);

/// <summary>Holds one thing that Vault hands out for a time, and has it renewed or replaced as <see cref="LeasePolicy"/> says. While Vault is out of reach, what is there is used for as long as it lives.</summary>
/// <param name="obtain">Asks for another one. What it returns works.</param>
/// <param name="renew">Lengthens it by as much as its first life, or by what Vault gives.</param>
/// <param name="isKnown">Whether it is still good, asked when somebody doubts it.</param>
internal sealed class LeaseKeeper<T>(
    Func<VaultConnection, CancellationToken, Task<VaultGrant<T>>> obtain,
    Func<VaultConnection, T, TimeSpan, CancellationToken, Task<VaultGrant<T>>> renew,
    Func<VaultConnection, T, CancellationToken, Task<bool>> isKnown) : IDisposable
    where T : class
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);

    private readonly SemaphoreSlim gate = new(1);
    private T? value;
    private HeldLease? held;
    private string? trouble;
    private volatile Func<T, bool>? doubted;

    /// <summary>One that is good now.</summary>
    /// <param name="orphaned">Whether what is held ends with something that was replaced.</param>
    /// <exception cref="AdapterException">There is none to be had.</exception>
    public async Task<T> GetAsync(VaultConnection connection, CancellationToken ct, Func<T, bool>? orphaned = null)
    {
        await gate.WaitAsync(ct);
        try
        {
            if (value is not null && doubted?.Invoke(value) == true && !await isKnown(connection, value, ct))
                (value, held) = (null, null);
            doubted = null;
            if (value is not null && orphaned?.Invoke(value) == true)
                held = held! with { Orphaned = true };
            // The time before the call: the life that Vault grants begins later, never earlier.
            var now = connection.Options.TimeProvider.GetUtcNow();
            switch (LeasePolicy.Decide(held, now).Step)
            {
                case LeaseStep.Renew when await RenewedAsync(connection, now, ct):
                case LeaseStep.Use:
                    break;
                default:
                    await ReplaceAsync(connection, now, ct);
                    break;
            }

            return value!;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Keeps it alive until cancelled, so that it survives times in which nobody asks.</summary>
    /// <param name="get">Asks for it.</param>
    /// <param name="tell">Hears how it is after each look; null: nobody does.</param>
    public async Task KeepAliveAsync(VaultConnection connection, Func<Task> get, CancellationToken ct, Action<LeaseState>? tell = null)
    {
        var time = connection.Options.TimeProvider;
        while (true)
        {
            try
            {
                await get();
            }
            catch (AdapterException failure)
            {
                // Whoever asks meanwhile hears of it; here it is tried again.
                trouble = failure.Message;
            }

            tell?.Invoke(new(held?.Life ?? default, held?.Ends, trouble));

            var pause = LeasePolicy.PauseOf(held?.Life ?? default);
            var wait = held is null ? pause : LeasePolicy.Decide(held, time.GetUtcNow()).Until - time.GetUtcNow();
            // Not to the end: what it hangs on may be replaced meanwhile.
            var longest = held is { Life: var life } && life / 20 is { } share && share > pause ? share : pause;
            wait = wait < pause ? pause : wait > longest ? longest : wait;
            await Task.Delay(wait > LongestDelay ? LongestDelay : wait, time, ct);
        }
    }

    /// <summary>Somebody was refused: what they had may have been revoked.</summary>
    /// <param name="which">Whether it is what they had, and not one that has replaced it since.</param>
    public void Doubt(Func<T, bool> which) => doubted = which;

    /// <inheritdoc/>
    public void Dispose() => gate.Dispose();

    /// <returns>False: it has to be replaced.</returns>
    private async Task<bool> RenewedAsync(VaultConnection connection, DateTimeOffset now, CancellationToken ct)
    {
        try
        {
            var renewed = await renew(connection, value!, held!.Life, ct);
            (value, held) = (renewed.Value, held with { Since = now, Ends = now + renewed.Ttl, Renewable = renewed.Renewable, TriedAt = null });
            trouble = null;
            // At its longest life a renewal no longer lengthens it.
            return LeasePolicy.Decide(held, now).Step == LeaseStep.Use;
        }
        catch (VaultException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            (held, trouble) = (held! with { TriedAt = now }, failure.Message);
            return true;
        }
        catch (VaultException)
        {
            // It cannot be renewed, or is gone: a new one is needed.
            return false;
        }
    }

    private async Task ReplaceAsync(VaultConnection connection, DateTimeOffset now, CancellationToken ct)
    {
        try
        {
            var granted = await obtain(connection, ct);
            (value, held) = (granted.Value, new(granted.Name, granted.Ttl, now, granted.Ttl > TimeSpan.Zero ? now + granted.Ttl : DateTimeOffset.MaxValue, granted.Renewable));
            trouble = null;
        }
        catch (AdapterException failure) when (held is not null && now < held.Ends)
        {
            (held, trouble) = (held with { TriedAt = now }, failure.Message);
        }
    }
}

using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Access;
using PlatformOps.Sandbox.Vault.Engines.Database;
using PlatformOps.Sandbox.Vault.Engines.KeyValue;
using PlatformOps.Sandbox.Vault.Engines.Pki;
using PlatformOps.Sandbox.Vault.Engines.Transit;
using PlatformOps.Sandbox.Vault.Http;
using PlatformOps.Sandbox.Vault.Login;
using PlatformOps.Sandbox.Vault.Server;

namespace PlatformOps.Sandbox.Vault.Core;

/// <summary>The way of a request: state of the server, token, policies, mount, lease, audit. One at a time.</summary>
internal sealed class VaultCore : IDisposable
{
    private readonly SandboxVaultOptions options;
    private readonly VaultStorage storage;
    private readonly SemaphoreSlim gate = new(1);
    private readonly SystemCalls system;
    private readonly ITimer timer;
    private readonly CancellationTokenSource stopping = new();

    public VaultCore(SandboxVaultOptions options)
    {
        this.options = options;
        storage = new(options.DataFile);
        Leases = new(storage, options.TimeProvider);
        Tokens = new(storage, Leases, options.TimeProvider);
        Policies = new(storage);
        Mounts = new(storage, Make);
        Leases.EngineOf = Mounts.Engine;
        State = new(storage);
        system = new(this);
        Policies.Initialize();
        if (Mounts.Describe("auth/token/") is null)
            Mounts.Mount("auth/token/", new() { ["type"] = "token", ["description"] = "token based credentials" });
        timer = options.TimeProvider.CreateTimer(_ => _ = WakeAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Snapshots = new(storage, State);
        if (!Tokens.All.Any(IsRoot))
            Tokens.Create(new("auth/token/root", "root", ["root"]));
    }

    /// <summary>After a restore, that of the snapshot.</summary>
    public string RootToken => Tokens.All.First(IsRoot).Id;

    public RaftSnapshots Snapshots { get; }

    public TokenStore Tokens { get; }

    public LeaseStore Leases { get; }

    public Policies Policies { get; }

    public MountTable Mounts { get; }

    public ServerState State { get; }

    public TimeProvider Time => options.TimeProvider;

    public ConcurrentQueue<SandboxVaultCall> Calls { get; } = new();

    /// <summary>What the database engine wanted done, in order.</summary>
    public ConcurrentQueue<SandboxDatabaseCall> Statements { get; } = new();

    public async Task<VaultAnswer> AnswerAsync(VaultRequest request, CancellationToken ct)
    {
        await gate.WaitAsync(ct);
        try
        {
            await ExpireAsync(ct);
            VaultAnswer answer;
            try
            {
                answer = await CarryOutAsync(request, ct);
            }
            catch (VaultFailure failure)
            {
                answer = VaultAnswer.Of(failure);
            }

            Calls.Enqueue(new(
                Time.GetUtcNow(), request.Operation.ToString().ToLowerInvariant(), request.Path, answer.Status, request.Namespace,
                request.Token is { } token ? Tokens.Find(token)?.Accessor : null));
            Schedule(await TickAsync(ct));
            return answer;
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose()
    {
        stopping.Cancel();
        timer.Dispose();
        storage.Dispose();
        gate.Dispose();
        stopping.Dispose();
    }

    private static bool IsRoot(TokenEntry token) => token.Policies.Contains("root") && token.Parent.Length == 0;

    private IEngine? Make(string type, string mount, VaultStorage all)
    {
        var own = new MountStorage(all, $"data/{mount}");
        return (mount.StartsWith("auth/", StringComparison.Ordinal), type) switch
        {
            (false, "kv") => new KeyValueEngine(own, Time),
            (false, "pki") => new PkiEngine(own, Time),
            (false, "database") => new DatabaseEngine(own, Time, DoInDatabaseAsync),
            (false, "transit") => new TransitEngine(own, Time),
            (true, "token") => new TokenCalls(this),
            (true, "approle") => new AppRole(own, Tokens, Time),
            (true, "kubernetes") => new KubernetesLogin(own, Tokens, options.ReviewToken),
            _ => null,
        };
    }

    private async Task DoInDatabaseAsync(SandboxDatabaseCall call, CancellationToken ct)
    {
        Statements.Enqueue(call);
        if (options.Database is { } database)
            await database(call, ct);
    }

    private async Task<VaultAnswer> CarryOutAsync(VaultRequest request, CancellationToken ct)
    {
        if (SystemCalls.IsUnsealed(request) is false && State.Refusal(request.Operation) is { } refusal)
            throw refusal;
        if (request.Namespace is not null)
            throw VaultFailure.NotPlayed("namespaces");
        var (engine, inside) = Route(request);
        var open = engine.IsOpen(inside.Path);
        TokenEntry? caller = null;
        if (!open)
        {
            caller = Authorize(request, inside, engine);
            await Tokens.UseAsync(caller, ct);
        }

        var answer = await engine.AnswerAsync(inside with { Caller = caller }, ct);
        return Envelope(request, inside.Mount, caller, answer);
    }

    private (IEngine Engine, VaultRequest Inside) Route(VaultRequest request)
    {
        if (request.Path.StartsWith("sys/", StringComparison.Ordinal))
            return (system, request with { Path = request.Path["sys/".Length..] });
        var mount = Mounts.Of(request.Path);
        // Whoever may not see it does not learn whether it exists.
        if (mount is null || Mounts.Engine(mount) is not { } engine)
        {
            Authorize(request, request, system);
            throw VaultFailure.NoRoute(request.Path);
        }

        return (engine, request with { Path = request.Path[mount.Length..], Mount = mount });
    }

    private TokenEntry Authorize(VaultRequest request, VaultRequest inside, IEngine engine)
    {
        if (request.Token is null)
            throw VaultFailure.Denied();
        var token = Tokens.Find(request.Token) ?? throw VaultFailure.InvalidToken();
        var allowed = Policies.Of(token.Policies);
        var capability = request.Operation switch
        {
            VaultOperation.Update when inside.Mount.Length > 0 && engine.Exists(inside) == false => "create",
            VaultOperation.Update when engine.Exists(inside) is null && allowed.Allows(request.Path, "create") => "create",
            var operation => operation.ToString().ToLowerInvariant(),
        };
        if (!allowed.Allows(request.Path, capability) || (engine.NeedsSudo(inside) && !allowed.Allows(request.Path, "sudo")))
            throw VaultFailure.Denied();
        return token;
    }

    private VaultAnswer Envelope(VaultRequest request, string mount, TokenEntry? caller, EngineAnswer answer)
    {
        if (answer.Raw is { } raw)
            return new(answer.Status ?? 200) { Raw = raw, ContentType = answer.ContentType };
        if (answer.Bare)
            return new(answer.Status ?? 200, answer.Data);
        if (answer.Data is null && answer.Auth is null)
            return new(answer.Status ?? 204);
        var lease = answer.Lease is { } offer ? Leases.Create(request.Path, mount, caller!.Id, offer) : "";
        return new(answer.Status ?? 200, new JsonObject
        {
            ["request_id"] = Guid.NewGuid().ToString(),
            ["lease_id"] = lease,
            ["renewable"] = answer.Lease is not null,
            ["lease_duration"] = VaultFields.Seconds(answer.Lease?.Ttl ?? default),
            ["data"] = answer.Data,
            ["wrap_info"] = null,
            ["warnings"] = answer.Warnings.Count == 0 ? null : VaultFields.Array(answer.Warnings),
            ["auth"] = answer.Auth,
        });
    }

    /// <summary>Ends what is over by the clock, before anybody sees it.</summary>
    private async Task ExpireAsync(CancellationToken ct)
    {
        if (State.Now != SandboxVaultState.Active)
            return;
        await Leases.ExpireAsync(ct);
        await Tokens.ExpireAsync(ct);
        await TickAsync(ct);
    }

    private async Task<DateTimeOffset?> TickAsync(CancellationToken ct)
    {
        DateTimeOffset? next = null;
        foreach (var engine in Mounts.Engines)
            next = Earlier(next, await engine.TickAsync(ct));
        return Earlier(next, Earlier(Leases.NextEnd, Tokens.NextEnd));
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other ?? one : one;

    private void Schedule(DateTimeOffset? next)
    {
        var longest = TimeSpan.FromDays(1);
        if (next is null || stopping.IsCancellationRequested)
            return;
        // Not at once again for what could not be taken back: the outside world may need a moment.
        var wait = next.Value - Time.GetUtcNow();
        timer.Change(wait < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : wait < longest ? wait : longest, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What ends while nobody asks ends all the same: a database user must not outlive its lease.</summary>
    private async Task WakeAsync()
    {
        try
        {
            await gate.WaitAsync(stopping.Token);
            try
            {
                await ExpireAsync(stopping.Token);
                Schedule(await TickAsync(stopping.Token));
            }
            finally
            {
                gate.Release();
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or ObjectDisposedException)
        {
            // It is being stopped.
        }
    }
}

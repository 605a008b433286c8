using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Access;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Login;

/// <summary>The paths below <c>auth/token/</c>.</summary>
internal sealed class TokenCalls(VaultCore core) : IEngine
{
    public bool NeedsSudo(VaultRequest request) => request.Parts is ["create-orphan"] or ["revoke-orphan"] or ["accessors"];

    public async Task<EngineAnswer> AnswerAsync(VaultRequest request, CancellationToken ct)
    {
        switch (request.Operation, request.Parts)
        {
            case (VaultOperation.Update, ["create"]):
                return Create(request, request.Caller!.Id);
            case (VaultOperation.Update, ["create-orphan"]):
                return Create(request, "");
            case (VaultOperation.Read, ["lookup-self"]) or (VaultOperation.Update, ["lookup-self"]):
                return new(core.Tokens.Describe(request.Caller!));
            case (VaultOperation.Update, ["lookup"]):
                return new(core.Tokens.Describe(Named(request.Fields)));
            case (VaultOperation.Update, ["lookup-accessor"]):
                return new(core.Tokens.Describe(ByAccessor(request.Fields), withId: false));
            case (VaultOperation.Update, ["renew-self"]):
                return Renew(request.Caller!, request.Fields);
            case (VaultOperation.Update, ["renew"]):
                return Renew(Named(request.Fields), request.Fields);
            case (VaultOperation.Update, ["revoke-self"]):
                await core.Tokens.RevokeAsync(request.Caller!, ct);
                return EngineAnswer.Nothing;
            case (VaultOperation.Update, ["revoke"]):
                await core.Tokens.RevokeAsync(Named(request.Fields), ct);
                return EngineAnswer.Nothing;
            case (VaultOperation.Update, ["revoke-accessor"]):
                await core.Tokens.RevokeAsync(ByAccessor(request.Fields), ct);
                return EngineAnswer.Nothing;
            case (VaultOperation.List, ["accessors"]):
                return EngineAnswer.Keys(core.Tokens.All.Select(token => token.Accessor));
            default:
                throw VaultFailure.UnsupportedPath();
        }
    }

    private EngineAnswer Create(VaultRequest request, string parent)
    {
        var policies = request.Fields.Words("policies") ?? request.Caller!.Policies;
        if (!request.Caller!.Policies.Contains("root") && policies.FirstOrDefault(policy => policy != "default" && !request.Caller.Policies.Contains(policy)) is not null)
            throw VaultFailure.Rejected("child policies must be subset of parent");
        return new()
        {
            Auth = core.Tokens.Auth(core.Tokens.Create(new($"auth/token/{request.Parts[0]}", $"token-{request.Fields.String("display_name") ?? ""}".TrimEnd('-'), policies)
            {
                Ttl = request.Fields.Duration("ttl") ?? default,
                MaxTtl = request.Fields.Duration("explicit_max_ttl") ?? default,
                Period = request.Fields.Duration("period") ?? default,
                Renewable = request.Fields.Flag("renewable", otherwise: true),
                Uses = request.Fields.Integer("num_uses") ?? 0,
                Parent = parent,
                Metadata = request.Fields["meta"]?.DeepClone() as JsonObject ?? [],
            })),
        };
    }

    private EngineAnswer Renew(TokenEntry token, JsonObject fields) =>
        new() { Auth = core.Tokens.Auth(core.Tokens.Renew(token, fields.Duration("increment") ?? default)) };

    private TokenEntry Named(JsonObject fields) => core.Tokens.Find(fields.Required("token")) ?? throw new VaultFailure(403, "bad token");

    private TokenEntry ByAccessor(JsonObject fields) => core.Tokens.FindByAccessor(fields.Required("accessor")) ?? throw new VaultFailure(403, "invalid accessor");
}

using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Secrets;

/// <summary>What of the system a credential is for, where its kind alone does not say it.</summary>
public abstract record RotationTarget;

/// <summary>A Redis, or several that copy one: users are not copied with the data, so each is told.</summary>
/// <param name="Service">Each of its ready endpoints is one; a headless Service has them all.</param>
public sealed record RedisTarget(string Service, string Namespace, int Port, bool Tls) : RotationTarget;

/// <summary>A user of IAM, for whom nobody else makes keys.</summary>
public sealed record IamTarget(string User) : RotationTarget;

/// <summary>A role of Vault's login method AppRole.</summary>
/// <param name="Mount">Where it is mounted, without <c>auth/</c>.</param>
public sealed record AppRoleTarget(string Role, string Mount) : RotationTarget;

/// <summary>What a new token of Vault is like.</summary>
/// <param name="Role">The token role by which it is made; null: an orphan with the policies of the one that it replaces.</param>
/// <param name="Period">How long it lives without being renewed.</param>
public sealed record VaultTokenTarget(string? Role, TimeSpan Period) : RotationTarget;

/// <summary>How a service makes, shows and ends a credential. In paths and bodies <c>{rotation}</c> is the id of the rotation, <c>{id}</c> that of the credential at the service,
/// <c>{value}</c> a new password, <c>{expires}</c> the day on which a token that nobody replaced ends.</summary>
/// <param name="Service">Its name in the connections file, under <c>external</c>.</param>
/// <param name="Create">Answers with a new token; null for passwords.</param>
/// <param name="View">Answers with the value of a token, where creating it does not; null: creating it does.</param>
/// <param name="List">Answers with the tokens that there are; null: what was made and got lost ends at the day in <c>{expires}</c>.</param>
/// <param name="Set">Takes a new password; null for tokens.</param>
/// <param name="Test">Succeeds with a credential that is accepted.</param>
/// <param name="Revoke">Ends a token; null for passwords.</param>
/// <param name="Address">Where it answers when the connections file is silent; null: where it is on the internet.</param>
public sealed record ServiceTarget(
    string Service, ServiceCall? Create, ServiceCall? View, ServiceCall? List, ServiceCall? Set, ServiceCall Test, ServiceCall? Revoke, string? Address) : RotationTarget;

/// <summary>One call of a service.</summary>
/// <param name="Method"><c>GET</c>, <c>POST</c>, <c>PUT</c>, <c>PATCH</c>, <c>DELETE</c>.</param>
/// <param name="Path">Below the service's address.</param>
/// <param name="Body">JSON; null: none.</param>
/// <param name="Id">Where in the answer, or in an item of a list, the credential's id stands, with dots between names; null: nowhere.</param>
/// <param name="Value">Where the value stands.</param>
/// <param name="Items">Where a list stands in the answer; null: the answer is it.</param>
/// <param name="Rotation">Where, in an item of a list, the id of the rotation stands that was given at creation.</param>
public sealed record ServiceCall(string Method, string Path, JsonObject? Body, string? Id, string? Value, string? Items, string? Rotation);

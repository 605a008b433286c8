namespace PlatformOps.Adapters.Vault;

/// <summary>How something that Vault handed out for a time is after it was looked after in the background.</summary>
/// <param name="Life">For how long it was handed out first; zero: for ever, or there is none.</param>
/// <param name="Ends">When it ends unless it is renewed; null: there is none.</param>
/// <param name="Trouble">Why the last attempt to renew or to replace it did not succeed; null: it did.</param>
public sealed record LeaseState(TimeSpan Life, DateTimeOffset? Ends, string? Trouble);

/// <summary>That, with what it is for. No value is in it.</summary>
/// <param name="Kind"><c>token</c>, or <c>login</c> of a database.</param>
/// <param name="Role">The role by which Vault hands it out; <c>approle</c> for logins with an AppRole.</param>
public sealed record LeaseNews(string Region, string Kind, string Role, LeaseState State);

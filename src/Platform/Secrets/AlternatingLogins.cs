namespace PlatformOps.Platform.Secrets;

/// <summary>The names of two users that take turns.</summary>
public static class AlternatingLogins
{
    private const string Suffix = "_clone";

    /// <summary>Who takes turns with a login.</summary>
    public static string Other(string login) => login.EndsWith(Suffix, StringComparison.Ordinal) ? login[..^Suffix.Length] : login + Suffix;

    /// <summary>The first of the two, which was there before there was a rotation.</summary>
    public static string First(string login) => login.EndsWith(Suffix, StringComparison.Ordinal) ? login[..^Suffix.Length] : login;
}

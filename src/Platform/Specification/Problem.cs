namespace PlatformOps.Platform.Specification;

/// <summary>One thing that is wrong with the input, in words that name the place and what would be right.</summary>
/// <param name="Path">Where, for example <c>environments.production.components.temporal-history.replicas</c>.</param>
/// <param name="Message">What is wrong and what would be right, for example <c>60 is outside 1..50</c>.</param>
/// <param name="File">The file, relative to the specification's folder, or null when no file is to blame.</param>
/// <param name="Line">The line in the file, from 1; 0 when unknown.</param>
public sealed record Problem(string Path, string Message, string? File = null, int Line = 0)
{
    /// <summary><c>file:line: path: message</c>, as compilers print it so that editors can jump to it.</summary>
    public override string ToString() =>
        File is null ? $"{Path}: {Message}" : $"{File}:{Line}: {Path}: {Message}";
}

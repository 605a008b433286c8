namespace PlatformOps.Starter.CommandLine;

/// <summary>An example in a command's help.</summary>
/// <param name="Line">What to type, without the program's name.</param>
/// <param name="Meaning">What it does, as a short phrase.</param>
internal sealed record Example(string Line, string Meaning);

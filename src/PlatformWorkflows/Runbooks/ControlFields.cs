namespace PlatformOps.Workflows.Runbooks;

/// <summary>Checks the input of an update; a refusal names the field.</summary>
internal static class ControlFields
{
    public static T Given<T>(Input<T>? input)
        where T : class =>
        input?.Read() ?? throw FailureTypes.Invalid("There is no input. Give a JSON object with the fields of this update.");

    public static void Require(string field, string? value, string what)
    {
        if (string.IsNullOrWhiteSpace(value))
            throw FailureTypes.Invalid($"Field '{field}' is missing: {what}.");
    }
}

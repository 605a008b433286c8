using System.Text.Json;
using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Replay;

/// <summary>A file with an execution on each line: <c>{"namespace", "workflowId", "runId"}</c>.</summary>
internal static class ExecutionList
{
    /// <summary>How many lines that cannot be read are told.</summary>
    private const int Told = 20;

    private static readonly string[] Required = ["namespace", "workflowId"];

    /// <exception cref="CommandFailure">The file cannot be read, or lines of it cannot; each is named.</exception>
    public static async Task<IReadOnlyList<Execution>> ReadAsync(string file, CancellationToken ct)
    {
        string[] lines;
        try
        {
            lines = await File.ReadAllLinesAsync(file, ct);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, $"The list of executions {file} cannot be read.", failure.Message, "Name a file that is there with --executions or $EXECUTIONS.", failure);
        }

        var (executions, problems) = (new List<Execution>(), new List<string>());
        foreach (var (index, line) in lines.Index().Where(line => !string.IsNullOrWhiteSpace(line.Item)))
        {
            if (Read(line) is { } execution)
                executions.Add(execution);
            else
                problems.Add($"{file}:{index + 1}: {Problem(line)}");
        }

        return problems.Count == 0 ? executions : throw new CommandFailure(
            ExitCode.Usage, problems.Count == 1 ? $"1 line of {file} is no execution; none was replayed." : $"{problems.Count} lines of {file} are no executions; none was replayed.", """Each line is one JSON object: {"namespace": "...", "workflowId": "...", "runId": "..."}.""", "Correct these lines.")
        {
            Problems = [.. problems.Take(Told)],
        };
    }

    private static Execution? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<Listed>(line, JsonOutput.Compact) is { Namespace.Length: > 0, WorkflowId.Length: > 0 } listed ? new(listed.Namespace, listed.WorkflowId, listed.RunId is { Length: > 0 } run ? run : null) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What the line says is not repeated: it may be anything.</summary>
    private static string Problem(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                return "this is JSON, and no object.";
            string[] missing = [.. Required.Where(field => !(json.RootElement.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String && value.GetString()!.Length > 0))];
            return missing.Length > 0 ? $"{string.Join(" and ", missing)} {(missing.Length == 1 ? "is" : "are")} missing, or no text." : "runId is no text.";
        }
        catch (JsonException)
        {
            return "this is no JSON.";
        }
    }

    private sealed record Listed(string? Namespace, string? WorkflowId, string? RunId);
}

using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PlatformOps.Guard.Configuration;

/// <summary>Reads and checks a guard's configuration. Relative paths in it are relative to the file.</summary>
public static class GuardConfigurationFile
{
    /// <summary>A socket's path has to fit into 107 bytes, with <c>/.s.PGSQL.5432</c> at its end.</summary>
    private const int LongestState = 80;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <exception cref="GuardConfigurationException">Says every field that is wrong.</exception>
    public static GuardConfiguration Load(string file)
    {
        GuardConfiguration read;
        try
        {
            read = JsonSerializer.Deserialize<GuardConfiguration>(File.ReadAllText(file), Json) ?? new();
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new GuardConfigurationException([failure.Message], failure);
        }

        var configuration = In(Path.GetDirectoryName(Path.GetFullPath(file))!, read);
        var problems = Problems(configuration).ToList();
        return problems.Count == 0 ? configuration : throw new GuardConfigurationException(problems);
    }

    /// <summary>As <see cref="Load"/> reads it.</summary>
    public static string Write(GuardConfiguration configuration) => JsonSerializer.Serialize(configuration, Json);

    private static GuardConfiguration In(string folder, GuardConfiguration read)
    {
        string At(string path) => path.Length == 0 ? path : Path.Combine(folder, path);
        string? AtOrNull(string? path) => path is null ? null : At(path);
        return read with
        {
            Data = At(read.Data).TrimEnd('/'),
            State = At(read.State).TrimEnd('/'),
            Binaries = At(read.Binaries),
            PasswordFile = At(read.PasswordFile),
            Clients = read.Clients with { Certificate = AtOrNull(read.Clients.Certificate), Key = AtOrNull(read.Clients.Key) },
            Backup = read.Backup?.RelativeTo(At),
            Tls = new(At(read.Tls.Certificate), At(read.Tls.Key), At(read.Tls.Authority)),
            Witness = new(
                read.Witness.S3 is { } s3 ? s3 with { CredentialsFile = AtOrNull(s3.CredentialsFile) } : null,
                read.Witness.Kubernetes is { } kubernetes ? kubernetes with { Kubeconfig = AtOrNull(kubernetes.Kubeconfig) } : null),
        };
    }

    private static IEnumerable<string> Problems(GuardConfiguration of)
    {
        foreach (var (field, value) in new[] { ("environment", of.Environment), ("node", of.Node), ("data", of.Data), ("state", of.State), ("passwordFile", of.PasswordFile), ("peer.node", of.Peer.Node) })
        {
            if (value.Length == 0)
                yield return $"{field} is missing.";
        }

        if (of.Node == of.Peer.Node && of.Node.Length > 0)
            yield return $"peer.node is '{of.Node}', which is this node itself.";
        foreach (var (field, name) in new[] { ("node", of.Node), ("peer.node", of.Peer.Node) })
        {
            if (!name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-') || name.Length > 40)
                yield return $"{field} is '{name}': at most 40 of a-z, 0-9 and - are expected.";
        }

        if (of.State.Length > LongestState)
            yield return $"state is {of.State.Length} characters long, and the server's socket in it would not fit: at most {LongestState} are expected.";
        if (!File.Exists(Path.Combine(of.Binaries, "pg_rewind")))
            yield return $"binaries is '{of.Binaries}': there is no pg_rewind. Name the bin directory of the server's version, for example /usr/lib/postgresql/15/bin.";
        var listens = new List<(string, string)> { ("clients.listen", of.Clients.Listen), ("replication.listen", of.Replication.Listen), ("api.listen", of.Api.Listen) };
        if (of.Metrics is { } metrics)
            listens.Add(("metrics.listen", metrics.Listen));
        foreach (var (field, listen) in listens)
        {
            if (!IPEndPoint.TryParse(listen, out var address) || address.Port == 0)
                yield return $"{field} is '{listen}': an IP address and a port are expected, for example 0.0.0.0:5432.";
        }

        if (of.Peer.Replication.Split(':') is not [{ Length: > 0 }, var port] || !ushort.TryParse(port, out _))
            yield return $"peer.replication is '{of.Peer.Replication}': host:port of the other guard's replication.listen is expected.";
        if (of.Api.Operators is not { Count: > 0 })
            yield return "api.operators is empty: name the common names of the certificates that may act, for example [\"platformops\"].";
        if (of.Clients.Certificate is null != of.Clients.Key is null)
            yield return "clients.certificate and clients.key belong together.";
        if (of.Clients is { RequireTls: true, Certificate: null })
            yield return "clients.requireTls is true without clients.certificate.";
        foreach (var (field, path) in new[]
        {
            ("tls.certificate", of.Tls.Certificate), ("tls.key", of.Tls.Key), ("tls.authority", of.Tls.Authority), ("clients.certificate", of.Clients.Certificate), ("clients.key", of.Clients.Key),
        })
        {
            if (path is not null && !File.Exists(path))
                yield return $"{field} is '{path}': there is no such file.";
        }

        if (of.Lease.DurationMs is < 200 or > 60_000)
            yield return $"lease.durationMs is {of.Lease.DurationMs}: 200 to 60000 is expected.";
        if (of.Lease.RenewMs < 20 || of.Lease.RenewMs * 3 > of.Lease.DurationMs)
            yield return $"lease.renewMs is {of.Lease.RenewMs}: at least 20, and at most a third of lease.durationMs ({of.Lease.DurationMs}) is expected, so that one lost renewal does not end the lease.";
        if (of.Lease.WatchMs < 20 || of.Lease.WatchMs > of.Lease.DurationMs)
            yield return $"lease.watchMs is {of.Lease.WatchMs}: 20 to lease.durationMs ({of.Lease.DurationMs}) is expected.";
        if (of.SynchronousCommit is not ("remote_apply" or "on" or "remote_write"))
            yield return $"synchronousCommit is '{of.SynchronousCommit}': remote_apply, on or remote_write is expected.";
        foreach (var problem in WitnessProblems(of.Witness).Concat(of.Backup?.Problems() ?? []))
            yield return problem;
    }

    private static IEnumerable<string> WitnessProblems(WitnessSettings witness)
    {
        if (witness.S3 is null == witness.Kubernetes is null)
            yield return "witness needs either s3 or kubernetes.";
        if (witness.S3 is { } s3)
        {
            foreach (var (field, value) in new[] { ("bucket", s3.Bucket), ("key", s3.Key), ("region", s3.Region) })
            {
                if (value.Length == 0)
                    yield return $"witness.s3.{field} is missing.";
            }
        }

        if (witness.Kubernetes is { } kubernetes)
        {
            foreach (var (field, value) in new[] { ("namespace", kubernetes.Namespace), ("name", kubernetes.Name) })
            {
                if (value.Length == 0)
                    yield return $"witness.kubernetes.{field} is missing.";
            }
        }
    }
}

/// <summary>What is wrong with a guard's configuration, field by field.</summary>
public sealed class GuardConfigurationException(IReadOnlyList<string> problems, Exception? inner = null) : Exception(string.Join(' ', problems), inner)
{
    public IReadOnlyList<string> Problems => problems;
}

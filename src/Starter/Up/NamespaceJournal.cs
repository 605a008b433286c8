using System.Text.Json;
using System.Threading.Channels;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;

namespace PlatformOps.Starter.Up;

/// <summary>
/// Keeps the namespaces of a Temporal server that has only memory, so that the next start finds them again. What is kept is what
/// provisioning manages: names, descriptions, owners, data and retention.
/// </summary>
internal sealed class NamespaceJournal : IAsyncDisposable
{
    private readonly string file;
    private readonly TemporalConnection connection;
    private readonly Channel<bool> changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Task writing;

    private NamespaceJournal(string file, TemporalConnection connection)
    {
        (this.file, this.connection) = (file, connection);
        writing = WriteAsync();
    }

    /// <summary>Registers on the server what the file holds, and watches from then on.</summary>
    public static async Task<NamespaceJournal> OpenAsync(string file, string address)
    {
        var connection = await TemporalConnection.ConnectAsync(new(address));
        if (File.Exists(file))
        {
            foreach (var space in JsonSerializer.Deserialize<List<string>>(await File.ReadAllTextAsync(file)) ?? [])
                await connection.WorkflowService.RegisterNamespaceAsync(JsonParser.Default.Parse<RegisterNamespaceRequest>(space));
        }

        return new NamespaceJournal(file, connection);
    }

    /// <summary>Says that namespaces may have changed.</summary>
    public void Changed() => changes.Writer.TryWrite(true);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        changes.Writer.Complete();
        await writing;
    }

    private async Task WriteAsync()
    {
        await foreach (var _ in changes.Reader.ReadAllAsync())
        {
            var known = new List<string>();
            var next = ByteString.Empty;
            do
            {
                var page = await connection.WorkflowService.ListNamespacesAsync(new() { NextPageToken = next });
                known.AddRange(page.Namespaces.Where(IsManaged).Select(space => JsonFormatter.Default.Format(RegistrationOf(space))));
                next = page.NextPageToken;
            }
            while (!next.IsEmpty);
            var draft = $"{file}.next";
            await File.WriteAllTextAsync(draft, JsonSerializer.Serialize(known));
            File.Move(draft, file, overwrite: true);
        }
    }

    private static bool IsManaged(DescribeNamespaceResponse space) =>
        space.NamespaceInfo is { State: NamespaceState.Registered, Name: not ("temporal-system" or "default") };

    private static RegisterNamespaceRequest RegistrationOf(DescribeNamespaceResponse space)
    {
        var registration = new RegisterNamespaceRequest
        {
            Namespace = space.NamespaceInfo.Name,
            Description = space.NamespaceInfo.Description,
            OwnerEmail = space.NamespaceInfo.OwnerEmail,
            WorkflowExecutionRetentionPeriod = space.Config?.WorkflowExecutionRetentionTtl ?? Duration.FromTimeSpan(TimeSpan.FromDays(1)),
        };
        registration.Data.Add(space.NamespaceInfo.Data);
        return registration;
    }
}

using System.Collections.Concurrent;
using System.Globalization;
using Google.Protobuf;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>What operators set for task queues, in memory and in the store.</summary>
internal sealed class QueueConfigs
{
    private const string DocumentKind = "taskQueueConfig";

    private readonly ConcurrentDictionary<QueueName, TaskQueueConfig> configs = new();
    private readonly IStore store;
    private readonly Lock gate = new();

    public QueueConfigs(IStore store)
    {
        this.store = store;
        foreach (var (id, data) in store.Documents(DocumentKind))
        {
            var parts = id.Split('/', 3);
            configs[new QueueName(parts[0], parts[2], (TaskQueueType)int.Parse(parts[1], CultureInfo.InvariantCulture))] = TaskQueueConfig.Parser.ParseFrom(data);
        }
    }

    public TaskQueueConfig? Find(QueueName queue) => configs.GetValueOrDefault(queue);

    /// <summary>Changes what is set for a queue, and returns how it is then.</summary>
    public async Task<TaskQueueConfig> ChangeAsync(QueueName queue, Action<TaskQueueConfig> change)
    {
        TaskQueueConfig changed;
        Task durable;
        lock (gate)
        {
            changed = Find(queue)?.Clone() ?? new TaskQueueConfig();
            change(changed);
            configs[queue] = changed;
            durable = store.Commit(new Transaction
            {
                Documents = { new DocumentChange(DocumentKind, $"{queue.NamespaceId}/{(int)queue.Type}/{queue.Name}", changed.ToByteArray()) },
            });
        }
        await durable;
        return changed;
    }

    /// <summary>Forgets the settings of a namespace that goes away.</summary>
    public Task DeleteAllAsync(string namespaceId)
    {
        var transaction = new Transaction();
        foreach (var queue in configs.Keys.Where(q => q.NamespaceId == namespaceId))
        {
            configs.TryRemove(queue, out _);
            transaction.Documents.Add(new DocumentChange(DocumentKind, $"{queue.NamespaceId}/{(int)queue.Type}/{queue.Name}", null));
        }
        return transaction.Documents.Count == 0 ? Task.CompletedTask : store.Commit(transaction);
    }
}

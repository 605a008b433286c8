using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>Names one task queue; workflow and activity tasks of the same name are two queues.</summary>
internal readonly record struct QueueName(string NamespaceId, string Name, TaskQueueType Type);

using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters;

/// <summary>The declared objects of one region that one outside system holds: a Kubernetes cluster, the platform's own Temporal, a cloud. Whatever the
/// system, its objects have the form of Kubernetes objects with our labels and annotations in their metadata, so that one planner plans all of them. A new
/// outside system is one class that implements this, and one line where the activities choose the system by <c>apiVersion</c>.</summary>
/// <remarks>Every call is made once, without retries. Every call can be repeated: whoever called may have died before it heard the answer.</remarks>
public interface IDeclaredObjects
{
    /// <summary>The kinds among these that the system knows: of the others it can have no objects.</summary>
    Task<IReadOnlyList<ObjectKind>> ServedAsync(IEnumerable<ObjectKind> kinds, CancellationToken ct);

    /// <summary>At least every object of some kinds that carries all of these labels, and whatever stands where objects are wanted, whoever owns it. Changes nothing.</summary>
    /// <param name="wanted">Among these kinds: their addresses, and their specifications for systems that find an object by its fields.</param>
    /// <exception cref="AdapterException">Something could not be read: what is unknown is never reported as absent.</exception>
    Task<IReadOnlyList<ObservedObject>> ObserveAsync(
        IReadOnlyCollection<ObjectKind> kinds, IReadOnlyDictionary<string, string> labels, IReadOnlyCollection<DesiredObject> wanted, CancellationToken ct);

    /// <summary>The object; null only when the system says that there is none.</summary>
    Task<ObservedObject?> FindAsync(ResourceAddress address, CancellationToken ct);

    /// <summary>Creates an object that did not exist when it was observed.</summary>
    /// <param name="wanted">With our labels and the operation's annotations.</param>
    /// <exception cref="AdapterException">Among others: it exists by now. Nobody else's object is ever changed by this.</exception>
    Task CreateAsync(DesiredObject wanted, CancellationToken ct);

    /// <summary>Asks whether a change would be accepted; nothing is stored. A system that cannot tell accepts.</summary>
    Task RehearseAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct) => Task.CompletedTask;

    /// <summary>Brings exactly the object that was observed to what is declared.</summary>
    Task ChangeAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct);

    /// <summary>The same, also where somebody else has taken over a declared field meanwhile. Only for objects of ours, when an operator decided so.</summary>
    Task TakeBackAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct) => ChangeAsync(wanted, live, ct);

    /// <summary>What an object of ours has to be declared as, so that it becomes again what it is now. Null: nothing of it is ours, or it is a Secret.</summary>
    JsonObject? Declaration(ObservedObject live) => ManagedManifest.Of(live.Manifest);

    /// <summary>Why the system takes no change of an object at this moment, as a sentence: it will by itself. Null: it does.</summary>
    Task<string?> WhyBusyAsync(ObservedObject live, CancellationToken ct) => Task.FromResult<string?>(null);

    /// <summary>What would be lost with an object and is not its operation's to remove, as a sentence that ends with what to do; null: it may be removed.</summary>
    /// <param name="kinds">All kinds that may be in it.</param>
    Task<string?> WhyKeepAsync(ObservedObject live, IReadOnlyCollection<ObjectKind> kinds, CancellationToken ct);

    /// <summary>Asks for the deletion of exactly the object that was observed. False when it is gone already.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: it is another object, or was changed since.</exception>
    Task<bool> DeleteAsync(ObservedObject live, CancellationToken ct);

    /// <summary>Waits until an object whose deletion was asked for is gone.</summary>
    /// <param name="waiting">Called whenever it was looked at again.</param>
    /// <returns>Null, or the object as it is when patience ended.</returns>
    Task<ObservedObject?> WaitUntilGoneAsync(ObservedObject live, TimeSpan patience, Action waiting, CancellationToken ct);

    /// <summary>After how long an object whose deletion was asked for ought to be gone. The activities wait no longer.</summary>
    TimeSpan RemovalPatience => TimeSpan.FromMinutes(3);
}

using PlatformOps.Platform.Certificates;

namespace PlatformOps.Platform.Tests.Certificates;

/// <summary>A certificate, its Secret, Vault and the pods that serve it, as plain data: what a rotation is done to, and what it sees.</summary>
internal sealed class ModelCertificate(Random random, TimeSpan settle)
{
    private int made;

    /// <summary>By number: whether Vault has revoked it. Numbers that Vault has not signed are not in here.</summary>
    public Dictionary<int, bool> Signed { get; } = [];

    /// <summary>What the Secret holds: the certificate's number, and who made it; null: nothing that can be read.</summary>
    public (int Number, string Rotation)? Current { get; set; }

    /// <summary>What the Secret remembers to revoke.</summary>
    public List<int> Replaced { get; } = [];

    /// <summary>What is wrong with what the Secret holds.</summary>
    public string? Trouble { get; set; }

    public bool Expired { get; set; }

    public CertificateOwner Owner { get; set; }

    public List<ModelConsumer> Consumers { get; } = [];

    public DateTimeOffset Now { get; private set; } = DateTimeOffset.UnixEpoch;

    /// <summary>Somebody signs one, for whoever asks.</summary>
    public int Sign()
    {
        Signed[++made] = false;
        return made;
    }

    /// <summary>Somebody whom Vault does not know signs one.</summary>
    public int Foreign() => ++made;

    public ObservedCertificate Observe(bool blind) => new(
        Owner,
        Current is { } current ? new(Print(current.Number), Print(current.Number), current.Rotation, Now.AddDays(-1), Expired ? Now : Now.AddDays(1), ["x"], Standing(current.Number, blind)) : null,
        Current is null ? "nothing" : Trouble, [.. Replaced.Select(number => new ReplacedLeaf(Print(number), Standing(number, blind)))], true,
        [.. Consumers.Select(consumer => new CertificateConsumer(
            consumer.Name, consumer.Declared, consumer.Reloads ? RestartStanding.Reloads : consumer.Stamped == Current?.Number ? RestartStanding.Restarted : RestartStanding.Old, "",
            [.. consumer.Serves.Select((number, index) => new ServingPod($"{consumer.Name}-{index}", blind && index == 0 ? null : Print(number), ""))]))],
        Now);

    /// <summary>What the activities do.</summary>
    public void CarryOut(CertificateStep step, string rotation, IReadOnlyList<string> consumers)
    {
        switch (step)
        {
            case CertificateStep.Issue:
                if (Current is { } before && Signed.TryGetValue(before.Number, out var revoked) && !revoked)
                    Replaced.Add(before.Number);
                (Current, Trouble, Expired) = ((Sign(), rotation), null, false);
                break;
            case CertificateStep.Refresh:
                foreach (var consumer in Consumers.Where(consumer => consumers.Contains(consumer.Name)))
                {
                    consumer.Stamped = Current!.Value.Number;
                    consumer.Serves = [.. consumer.Serves.Select(_ => Current.Value.Number)];
                }

                break;
            case CertificateStep.Revoke:
                foreach (var number in Replaced.Where(number => number != Current!.Value.Number))
                    Signed[number] = true;
                Replaced.Clear();
                break;
            case CertificateStep.Wait or CertificateStep.Settle:
                Now += settle / 3;
                // A rollout that was under way comes to its end.
                foreach (var consumer in Consumers.Where(consumer => consumer.Stamped == Current?.Number))
                    consumer.Serves = [.. consumer.Serves.Select(_ => Current!.Value.Number)];
                break;
            default:
                throw new InvalidOperationException($"{step} is nothing to carry out.");
        }

        foreach (var consumer in Consumers.Where(consumer => consumer.Reloads && Current is not null && Trouble is null))
            consumer.Serves = [.. consumer.Serves.Select(number => random.Next(3) == 0 ? number : Current!.Value.Number)];
        Now += TimeSpan.FromSeconds(1);
    }

    /// <summary>Pods that serve what Vault has revoked: their clients are refused.</summary>
    public IEnumerable<string> Refused => Consumers.Where(consumer => consumer.Serves.Exists(number => Signed.GetValueOrDefault(number))).Select(consumer => consumer.Name);

    private static string Print(int number) => $"leaf-{number}";

    private LeafStanding Standing(int number, bool blind) => blind ? LeafStanding.Unknown : !Signed.TryGetValue(number, out var revoked) ? LeafStanding.Foreign : revoked ? LeafStanding.Revoked : LeafStanding.Valid;
}

/// <param name="name">As consumers are named.</param>
internal sealed class ModelConsumer(string name)
{
    public string Name => name;

    public bool Declared { get; init; } = true;

    public bool Reloads { get; init; }

    /// <summary>The certificate that it was restarted for.</summary>
    public int Stamped { get; set; }

    /// <summary>What each of its pods serves.</summary>
    public List<int> Serves { get; set; } = [];
}

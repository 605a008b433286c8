using PlatformOps.Platform.Secrets;

namespace PlatformOps.Platform.Tests.Secrets;

/// <summary>A login with alternating users, its store, its Kubernetes Secret and its consumers, as plain data: what a rotation is done to, and what it sees.</summary>
internal sealed class ModelSecret(Random random, TimeSpan settle)
{
    private int made;

    /// <summary>By login, the value that the system accepts; none: it refuses the login.</summary>
    public Dictionary<string, int> Accepted { get; } = [];

    public List<(string Rotation, string Login, int Value)?> Versions { get; } = [];

    public (string Rotation, string Login, int Value)? Pending { get; set; }

    public (string Login, int Value)? Published { get; set; }

    public List<ModelConsumer> Consumers { get; } = [];

    public DateTimeOffset Now { get; private set; } = DateTimeOffset.UnixEpoch;

    public int Current => Versions.FindLastIndex(version => version is not null) + 1;

    public (string Rotation, string Login, int Value)? CurrentValue => Current > 0 && Current == Versions.Count ? Versions[Current - 1] : null;

    public int? PreviousAt => CurrentValue is null ? null : Versions.FindLastIndex(Current - 2 < 0 ? 0 : Current - 2, version => version is not null) is >= 0 and var at && at < Current - 1 ? at : null;

    public int NewValue() => ++made;

    public ObservedSecret Observe(bool blind)
    {
        var previous = PreviousAt is { } at ? Versions[at] : null;
        return new(
            Staged(Pending, 1, blind), Staged(CurrentValue, Current, blind), Staged(previous, (PreviousAt ?? 0) + 1, blind),
            CurrentValue is null && Published is { } there ? new("adopted", there.Login, 0, Standing(there.Login, there.Value, blind)) : null,
            Published is null ? null : CurrentValue is { } current && Published == (current.Login, current.Value),
            [.. Consumers.Select(consumer => new SecretConsumer(consumer.Name, true, consumer.Stamped == Current && Current > 0 ? ConsumerStanding.Current : ConsumerStanding.Old, ""))],
            previous is { } old && old.Login != CurrentValue?.Login ? new(old.Login, Consumers.Count(consumer => consumer.Uses?.Login == old.Login), []) : null,
            Now);
    }

    /// <summary>What the activities do.</summary>
    public void CarryOut(RotationStep step, string rotation, IReadOnlyList<string> consumers)
    {
        switch (step)
        {
            case RotationStep.Adopt:
                Versions.Add(("adopted", Published!.Value.Login, Published.Value.Value));
                break;
            case RotationStep.Create:
                Pending ??= (rotation, CurrentValue!.Value.Login == "a" ? "b" : "a", NewValue());
                break;
            case RotationStep.Set:
                Accepted[Pending!.Value.Login] = Pending.Value.Value;
                break;
            case RotationStep.Restore:
                Accepted[CurrentValue!.Value.Login] = CurrentValue.Value.Value;
                break;
            case RotationStep.Promote:
                Versions.Add(Pending);
                if (random.Next(4) > 0)
                    Pending = null;
                break;
            case RotationStep.Discard:
                Pending = null;
                break;
            case RotationStep.Publish:
                Published = (CurrentValue!.Value.Login, CurrentValue.Value.Value);
                break;
            case RotationStep.Refresh:
                foreach (var consumer in Consumers.Where(consumer => consumers.Contains(consumer.Name)))
                    (consumer.Stamped, consumer.Uses) = (Current, Published);
                break;
            case RotationStep.Revoke:
                if (Versions[PreviousAt!.Value]!.Value.Login is var old && old != CurrentValue!.Value.Login)
                    Accepted.Remove(old);
                for (var at = 0; at < Current - 1; at++)
                    Versions[at] = null;
                break;
            case RotationStep.Withdraw:
                if (Pending is { } pending && pending.Login != CurrentValue?.Login)
                    Accepted.Remove(pending.Login);
                Pending = null;
                break;
            case RotationStep.Return:
                Pending = null;
                Versions.Add(Versions[PreviousAt!.Value]!.Value with { Rotation = RotationPolicy.ReturnOf(rotation) });
                break;
            case RotationStep.Wait or RotationStep.Settle:
                Now += settle / 3;
                break;
            default:
                throw new InvalidOperationException($"{step} is nothing to carry out.");
        }

        Now += TimeSpan.FromSeconds(1);
    }

    /// <summary>Whether everybody who uses the secret is let in.</summary>
    public bool EverybodyIsLetIn => Consumers.TrueForAll(consumer => consumer.Uses is not { } used || Accepted.GetValueOrDefault(used.Login) == used.Value);

    private StagedCredential? Staged((string Rotation, string Login, int Value)? version, int number, bool blind) =>
        version is { } known ? new(known.Rotation, known.Login, number, Standing(known.Login, known.Value, blind)) : null;

    private CredentialStanding Standing(string login, int value, bool blind) =>
        blind ? CredentialStanding.Unknown : Accepted.GetValueOrDefault(login) == value ? CredentialStanding.Accepted : CredentialStanding.Refused;
}

/// <param name="name">As consumers are named.</param>
internal sealed class ModelConsumer(string name)
{
    public string Name => name;

    /// <summary>The version that it was restarted for.</summary>
    public int Stamped { get; set; }

    /// <summary>What it logs in with.</summary>
    public (string Login, int Value)? Uses { get; set; }
}

using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Certificates;

namespace PlatformOps.PlatformWorkflows.Tests.Certificates;

/// <summary>An authority in memory: a root, what names whom to trust, and a consumer that has to be restarted for it.</summary>
internal sealed class FakeAuthority
{
    private const string Old = "01d00000", New = "0e800000";

    private readonly Dictionary<(string Certificate, int Number), string> signers = [];
    private string? made;
    private bool signs, revoked;
    private HashSet<string> named = [Old], loaded = [Old];

    /// <summary>A consumer whose pods do not take up whom to trust, whatever is done.</summary>
    public bool Stubborn { get; set; }

    /// <summary>A consumer that the catalog does not know.</summary>
    public bool Stranger { get; set; }

    /// <summary>Pods serve nothing with a certificate of the new root.</summary>
    public bool Breaks { get; set; }

    /// <summary>Certificates of the new root lead nowhere: its name, or its times, are wrong.</summary>
    public bool Unbelieved { get; set; }

    public void Signed(string certificate, int number) => signers[(certificate, number)] = signs ? New : Old;

    /// <param name="leaves">By certificate: the number of the current one, and whether it is served everywhere.</param>
    public ObservedAuthority Observe(IReadOnlyDictionary<string, (int Number, bool Served)> leaves)
    {
        List<AuthorityIssuer> issuers = [new("1", "first", Old, DateTimeOffset.UnixEpoch, !signs, revoked)];
        if (made is not null)
            issuers.Add(new("2", made, New, DateTimeOffset.UnixEpoch, signs, false));
        List<TrustingConsumer> consumers =
        [
            new("space/Deployment/jobs", true, loaded.SetEquals(named) && !Stubborn ? RestartStanding.Restarted : RestartStanding.Old, "As it is.", true, [new("jobs-0", loaded.Contains(New), loaded.Contains(Old), "jobs-0 was asked.")]),
        ];
        if (Stranger)
            consumers.Add(new("space/Pod/debug", false, RestartStanding.Old, "Nobody knows it.", false, []));
        return new(
            issuers, [new("Secret space/shop-tls", [.. named])], consumers,
            [.. leaves.Select(leaf => new SignedLeaf(leaf.Key, signers.GetValueOrDefault((leaf.Key, leaf.Value.Number), Old), [], false, Breaks && signers.GetValueOrDefault((leaf.Key, leaf.Value.Number), Old) == New))], null, DateTimeOffset.UnixEpoch)
        {
            Validation = made is null ? null : new(
                Unbelieved ? ["A certificate of the new root does not lead to what Secret space/shop-tls names."] : [], Refused(New), Refused(Old)),
        };

        IReadOnlyList<string> Refused(string alone) => [.. leaves.Where(leaf => signers.GetValueOrDefault((leaf.Key, leaf.Value.Number), Old) != alone).Select(leaf => $"{leaf.Key} is refused.")];
    }

    public void CarryOut(AuthorityStepInput input)
    {
        switch (input.Step)
        {
            case AuthorityStep.Prepare:
                made ??= AuthorityPolicy.NameOf("internal", input.Rotation, Old);
                break;
            case AuthorityStep.AddTrust:
                named = [Old, New];
                break;
            case AuthorityStep.Refresh:
                if (!Stubborn)
                    loaded = [.. named];
                break;
            case AuthorityStep.Activate:
                signs = true;
                break;
            case AuthorityStep.Deactivate:
                signs = false;
                break;
            case AuthorityStep.DropTrust:
                named = [New];
                break;
            case AuthorityStep.RestoreTrust:
                named = [Old];
                break;
            case AuthorityStep.Revoke:
                revoked = true;
                break;
            case AuthorityStep.Discard:
                made = null;
                break;
            default:
                throw new InvalidOperationException($"{input.Step} is not played.");
        }
    }
}

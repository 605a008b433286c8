using PlatformOps.Platform.Certificates;

namespace PlatformOps.Platform.Tests.Certificates;

/// <summary>The transition table: from every state, with steps that are lost before and after their effect.</summary>
public sealed class CertificatePolicyTests
{
    private static readonly TimeSpan Settle = TimeSpan.FromMinutes(10);

    [Fact]
    public void Ends_with_one_valid_certificate_that_every_pod_serves_whatever_is_lost_on_the_way()
    {
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var certificate = Whole(random);
            Run(certificate, random, seed, mayRefuse: false);
            Assert.True(certificate.Current!.Value.Rotation.StartsWith('r'), $"seed {seed}: nothing was replaced");
        }
    }

    public static TheoryData<string> BrokenStates() =>
    [
        "nothing in the Secret", "wrong key", "expired", "revoked by somebody", "of nobody known", "issued and not taken up", "half of the pods restarted", "old one left",
        "old one revoked early", "current one remembered as replaced", "issued twice", "replaced by somebody", "replaced by one of nobody known",
    ];

    [Theory]
    [MemberData(nameof(BrokenStates))]
    public void Repairs_what_it_did_not_cause(string state)
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var certificate = Whole(random);
            Break(certificate, state);
            Run(certificate, random, seed, mayRefuse: true);
        }
    }

    [Fact]
    public void Never_writes_what_cert_manager_owns()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var certificate = Whole(random);
            Break(certificate, BrokenStates().ElementAt(seed % 13).Data);
            certificate.Owner = CertificateOwner.CertManager;
            Assert.True(CertificatePolicy.Decide(certificate.Observe(blind: random.Next(2) == 0), Progress()).Step is CertificateStep.Wait or CertificateStep.Stop or CertificateStep.Finish or CertificateStep.Refresh);
            Assert.Null(CertificatePolicy.LeftBy(certificate.Observe(blind: false)));
        }
    }

    [Theory]
    [InlineData(RestartStanding.Old, "old", CertificateStep.Refresh)]
    [InlineData(RestartStanding.Old, null, CertificateStep.Wait)]
    [InlineData(RestartStanding.Changing, "old", CertificateStep.Wait)]
    [InlineData(RestartStanding.Failed, "old", CertificateStep.Stop)]
    [InlineData(RestartStanding.Reloads, "old", CertificateStep.Wait)]
    [InlineData(RestartStanding.Restarted, "old", CertificateStep.Wait)]
    [InlineData(RestartStanding.Old, "new", CertificateStep.Finish)]
    public void Who_goes_on_with_what_cert_manager_has_replaced_is_restarted_where_a_restart_helps(RestartStanding standing, string? serves, CertificateStep expected)
    {
        var seen = new ObservedCertificate(
            CertificateOwner.CertManager, new("new", "2", "", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(90), ["x"], LeafStanding.Foreign), null, [], Served: true,
            [new("Deployment/balancer", true, standing, "As it is.", [new("balancer-0", "new", "It was asked."), new("balancer-1", serves, "It was asked.")])], DateTimeOffset.UnixEpoch);
        Assert.Equal(expected, CertificatePolicy.Decide(seen, Progress()).Step);
        // Who is not ours is named, and left alone; and runs of before go on as they did.
        Assert.True(CertificatePolicy.Decide(seen with { Consumers = [seen.Consumers[0] with { Declared = false }] }, Progress()).Step is CertificateStep.Wait or CertificateStep.Finish);
        Assert.True(CertificatePolicy.Decide(seen, Progress() with { RestartsAfterOthers = false }).Step is CertificateStep.Wait or CertificateStep.Finish);
    }

    [Fact]
    public void A_pod_that_keeps_the_old_certificate_is_named_and_nothing_is_revoked()
    {
        var certificate = HandedOut();
        certificate.Consumers[0].Serves[1] = 1;
        var decision = CertificatePolicy.Decide(certificate.Observe(blind: false), Progress() with { ProvedSince = certificate.Now - (2 * Settle) });
        Assert.Equal((CertificateStep.Wait, "Deployment/web"), (decision.Step, Assert.Single(decision.Consumers)));
        Assert.Contains("Deployment/web-1", decision.Why, StringComparison.Ordinal);
        Assert.Equal(CertificateStep.Revoke, CertificatePolicy.Decide(certificate.Observe(blind: false), Progress() with { ProvedSince = certificate.Now - Settle, Excused = ["Deployment/web"] }).Step);
    }

    [Fact]
    public void A_consumer_that_the_catalog_does_not_know_stops_it_before_anything_is_issued()
    {
        var certificate = Whole(new(1));
        certificate.Consumers.Add(new("Pod/debug") { Declared = false });
        var decision = CertificatePolicy.Decide(certificate.Observe(blind: false), Progress());
        Assert.Equal((CertificateStep.Stop, "Pod/debug"), (decision.Step, Assert.Single(decision.Consumers)));
    }

    [Fact]
    public void Revokes_only_when_the_proof_has_held()
    {
        var seen = HandedOut().Observe(blind: false);
        Assert.Equal(CertificateStep.Settle, CertificatePolicy.Decide(seen, Progress()).Step);
        Assert.Equal(CertificateStep.Settle, CertificatePolicy.Decide(seen, Progress() with { ProvedSince = seen.SeenAt - Settle + TimeSpan.FromSeconds(1) }).Step);
        Assert.Equal(CertificateStep.Revoke, CertificatePolicy.Decide(seen, Progress() with { ProvedSince = seen.SeenAt - Settle }).Step);
    }

    [Theory]
    [InlineData(RestartStanding.Old, CertificateStep.Refresh)]
    [InlineData(RestartStanding.Changing, CertificateStep.Wait)]
    [InlineData(RestartStanding.Failed, CertificateStep.Stop)]
    [InlineData(RestartStanding.Restarted, CertificateStep.Revoke)]
    [InlineData(RestartStanding.Reloads, CertificateStep.Revoke)]
    public void A_client_that_serves_nothing_is_proved_by_its_restart(RestartStanding standing, CertificateStep expected)
    {
        var seen = HandedOut().Observe(blind: false);
        var decision = CertificatePolicy.Decide(seen with { Consumers = [.. seen.Consumers, new("Deployment/client", true, standing, "why", [])] }, Progress() with { ProvedSince = seen.SeenAt - Settle });
        Assert.Equal(expected, decision.Step);
    }

    [Fact]
    public void Waits_as_long_as_it_cannot_find_out_what_is_revoked()
    {
        Assert.Equal(CertificateStep.Wait, CertificatePolicy.Decide(Whole(new(1)).Observe(blind: true), Progress()).Step);
        Assert.Equal(CertificateStep.Wait, CertificatePolicy.Decide(HandedOut().Observe(blind: true), Progress() with { ProvedSince = DateTimeOffset.MinValue }).Step);
    }

    private static void Break(ModelCertificate certificate, string state)
    {
        var (number, _) = certificate.Current!.Value;
        var all = certificate.Consumers;
        switch (state)
        {
            case "nothing in the Secret":
                certificate.Current = null;
                break;
            case "wrong key":
                certificate.Trouble = "The key is another one's.";
                break;
            case "expired":
                certificate.Expired = true;
                break;
            case "revoked by somebody":
                certificate.Signed[number] = true;
                break;
            case "of nobody known":
                certificate.Current = (certificate.Foreign(), "");
                all.ForEach(consumer => consumer.Serves = [.. consumer.Serves.Select(_ => certificate.Current.Value.Number)]);
                break;
            case "issued and not taken up":
                certificate.Replaced.Add(number);
                certificate.Current = (certificate.Sign(), "dead");
                break;
            case "half of the pods restarted":
                certificate.Replaced.Add(number);
                certificate.Current = (certificate.Sign(), "dead");
                (all[1].Stamped, all[1].Serves[0]) = (certificate.Current.Value.Number, certificate.Current.Value.Number);
                break;
            case "old one left":
                certificate.Replaced.Add(certificate.Sign());
                break;
            case "old one revoked early":
                certificate.Replaced.Add(number);
                certificate.Signed[number] = true;
                certificate.Current = (certificate.Sign(), "dead");
                break;
            case "current one remembered as replaced":
                certificate.Replaced.Add(number);
                certificate.Current = (number, "dead");
                break;
            case "issued twice":
                certificate.Replaced.AddRange([number, certificate.Sign()]);
                certificate.Current = (certificate.Sign(), "dead");
                break;
            case "replaced by somebody":
                certificate.Current = (certificate.Sign(), "");
                break;
            default:
                certificate.Replaced.Add(number);
                certificate.Current = (certificate.Foreign(), "");
                break;
        }
    }

    /// <summary>As a run does it, with looks that see nothing, and steps that are lost before or after their effect, or are carried out five times.</summary>
    /// <param name="mayRefuse">Whether pods may be refused at the start: what was revoked by somebody nobody can give back.</param>
    private static void Run(ModelCertificate certificate, Random random, int seed, bool mayRefuse)
    {
        var (rotation, looked) = ("r", false);
        DateTimeOffset? proved = null;
        for (var step = 0; step < 400; step++)
        {
            var seen = certificate.Observe(blind: random.Next(6) == 0);
            if (!looked && CertificatePolicy.LeftBy(seen) is { } left)
                rotation = left;
            looked = true;
            var decision = CertificatePolicy.Decide(seen, new(rotation, Settle, proved, []));
            proved = decision.Step is CertificateStep.Settle or CertificateStep.Revoke ? proved ?? seen.SeenAt : null;
            if (decision.Step == CertificateStep.Finish)
            {
                Assert.True(
                    certificate.Consumers.TrueForAll(consumer => consumer.Serves.TrueForAll(number => number == certificate.Current!.Value.Number)) && !certificate.Signed[certificate.Current!.Value.Number]
                    && certificate.Replaced.Count == 0 && certificate.Trouble is null && !certificate.Expired, $"seed {seed}: it is not as it should be");
                return;
            }

            Assert.True(decision.Step != CertificateStep.Stop, $"seed {seed}: {decision.Why}");
            var refused = certificate.Refused.Count();
            if (decision.Step is CertificateStep.Issue && random.Next(4) == 0)
                continue;
            certificate.CarryOut(decision.Step, rotation, decision.Consumers);
            // An issue has its precondition: carried out again it finds another certificate, and does nothing.
            for (var again = decision.Step is CertificateStep.Refresh or CertificateStep.Revoke ? random.Next(5) : 0; again > 0; again--)
                certificate.CarryOut(decision.Step, rotation, decision.Consumers);
            Assert.True(certificate.Refused.Count() <= (mayRefuse ? refused : 0), $"seed {seed}: {decision.Step} makes clients of {string.Join(", ", certificate.Refused)} fail");
            // It is terminated, and another run begins.
            if (random.Next(15) == 0)
                (rotation, looked, proved) = ($"r{step}", false, null);
        }

        Assert.Fail($"seed {seed}: it does not end");
    }

    [Fact]
    public void One_that_nobody_is_found_to_serve_is_neither_replaced_nor_revoked_until_somebody_answers_for_it()
    {
        var (fresh, handedOut, expired) = (Whole(new(1)), HandedOut(), Whole(new(1)));
        foreach (var certificate in new[] { fresh, handedOut, expired })
            certificate.Consumers.Clear();
        expired.Expired = true;
        var late = Progress() with { ProvedSince = handedOut.Now - (2 * Settle) };
        var answered = late with { Excused = ["nobody"] };

        Assert.Equal(CertificateStep.Stop, CertificatePolicy.Decide(fresh.Observe(blind: false), Progress()).Step);
        Assert.Equal(CertificateStep.Stop, CertificatePolicy.Decide(handedOut.Observe(blind: false), late).Step);
        Assert.Equal(CertificateStep.Revoke, CertificatePolicy.Decide(handedOut.Observe(blind: false), answered).Step);
        // Nobody may accept it any more: a new one takes nothing away.
        Assert.Equal(CertificateStep.Issue, CertificatePolicy.Decide(expired.Observe(blind: false), Progress()).Step);
        // Where no port is declared nobody is asked what he serves.
        Assert.Equal(CertificateStep.Revoke, CertificatePolicy.Decide(handedOut.Observe(blind: false) with { Served = false }, late).Step);
    }

    private static ModelCertificate Whole(Random random)
    {
        var certificate = new ModelCertificate(random, Settle);
        var number = certificate.Sign();
        certificate.Current = (number, random.Next(2) == 0 ? "" : "earlier");
        certificate.Consumers.Add(new("Deployment/web") { Reloads = true, Serves = [number, number] });
        certificate.Consumers.Add(new("Deployment/jobs") { Serves = [number, number] });
        certificate.Consumers.Add(new("StatefulSet/db") { Stamped = number, Serves = [number, number, number] });
        return certificate;
    }

    private static ModelCertificate HandedOut()
    {
        var certificate = Whole(new(1));
        certificate.Replaced.Add(1);
        certificate.Current = (certificate.Sign(), "r");
        certificate.Consumers.ForEach(consumer => (consumer.Stamped, consumer.Serves) = (2, [.. consumer.Serves.Select(_ => 2)]));
        return certificate;
    }

    private static CertificateProgress Progress() => new("r", Settle, null, []);
}

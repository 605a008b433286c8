using PlatformOps.Platform.Secrets;

namespace PlatformOps.Platform.Tests.Secrets;

/// <summary>The transition table: from every state, with steps that fail before and after their effect.</summary>
public sealed class RotationPolicyTests
{
    private static readonly TimeSpan Settle = TimeSpan.FromMinutes(10);

    [Fact]
    public void Ends_with_one_valid_value_that_everybody_uses_whatever_is_lost_on_the_way()
    {
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var secret = Whole(random);
            Run(secret, random, seed, mayLockOut: false);
            Assert.True(secret.CurrentValue!.Value.Rotation == "r", $"seed {seed}");
        }
    }

    [Theory]
    [MemberData(nameof(BrokenStates))]
    public void Repairs_what_it_did_not_cause(string state)
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var secret = Whole(random);
            Break(secret, state);
            Run(secret, random, seed, mayLockOut: true);
        }
    }

    [Fact]
    public void An_abort_gives_everybody_the_value_of_before()
    {
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var secret = Whole(random);
            var before = secret.CurrentValue!.Value.Value;
            Run(secret, random, seed, mayLockOut: false, abortAfter: random.Next(12));
            if (secret.CurrentValue!.Value.Rotation != "r")
                Assert.True(before == secret.CurrentValue.Value.Value, $"seed {seed}");
        }
    }

    [Fact]
    public void Waits_as_long_as_it_cannot_find_out_what_is_accepted()
    {
        var secret = Whole(new(1));
        Assert.Equal(RotationStep.Wait, RotationPolicy.Decide(secret.Observe(blind: true), Progress("r")).Step);
        secret.Pending = ("r", "b", secret.NewValue());
        Assert.Equal(RotationStep.Wait, RotationPolicy.Decide(secret.Observe(blind: true), Progress("r")).Step);
    }

    [Fact]
    public void A_consumer_that_the_catalog_does_not_know_stops_it_before_anything_is_made()
    {
        var seen = Whole(new(1)).Observe(blind: false);
        var stranger = seen with { Consumers = [.. seen.Consumers, new("Pod/debug", Declared: false, ConsumerStanding.Unknown, "")] };
        var decision = RotationPolicy.Decide(stranger, Progress("r"));
        Assert.Equal((RotationStep.Stop, "Pod/debug"), (decision.Step, Assert.Single(decision.Consumers)));
        Assert.Equal(RotationStep.Create, RotationPolicy.Decide(stranger, Progress("r") with { Excused = ["Pod/debug"] }).Step);
    }

    /// <summary>Of what is mended for whoever uses it, and what would have somebody refused.</summary>
    [Theory]
    [InlineData("in use", RotationStep.Stop, "Nothing new is handed out")]
    [InlineData("pending, not accepted", RotationStep.Stop, "Nothing new is handed out")]
    [InlineData("pending, accepted", RotationStep.Promote, null)]
    [InlineData("refused", RotationStep.Restore, null)]
    [InlineData("not published", RotationStep.Publish, null)]
    [InlineData("handed out", RotationStep.Stop, "The previous version stays valid")]
    [InlineData("handed out and settled", RotationStep.Stop, "The previous version stays valid")]
    [InlineData("done", RotationStep.Finish, null)]
    public void Where_nobody_is_found_who_uses_it_nothing_begins_and_nothing_is_revoked(string state, RotationStep expected, string? says)
    {
        var whole = Whole(new(1)).Observe(blind: false);
        var (seen, progress) = (state.StartsWith("handed", StringComparison.Ordinal) || state == "done" ? HandedOut() : whole, Progress("r"));
        (seen, progress) = state switch
        {
            "pending, not accepted" => (seen with { Pending = new("dead", "b", 1, CredentialStanding.Refused) }, progress),
            "pending, accepted" => (seen with { Pending = new("dead", "b", 1, CredentialStanding.Accepted) }, progress),
            "refused" => (seen with { Current = seen.Current! with { Standing = CredentialStanding.Refused } }, progress),
            "not published" => (seen with { Published = false }, progress),
            "handed out and settled" => (seen, progress with { ProvedSince = seen.SeenAt - Settle }),
            "done" => (seen with { Previous = null }, progress),
            _ => (seen, progress),
        };
        seen = seen with { Consumers = [], Places = ["shop/credentials", "jobs/copy"] };
        var decision = RotationPolicy.Decide(seen, progress);
        Assert.Equal(expected, decision.Step);
        if (says is null)
            return;
        Assert.Contains("takes values from shop/credentials, jobs/copy", decision.Why, StringComparison.Ordinal);
        Assert.Contains(says, decision.Why, StringComparison.Ordinal);

        // When the catalog says that it has none, or somebody does, it goes on as always.
        var goesOn = RotationPolicy.Decide(seen with { NoConsumers = "It is for emergencies." }, progress);
        Assert.NotEqual(RotationStep.Stop, goesOn.Step);
        Assert.Equal(goesOn.Step, RotationPolicy.Decide(seen, progress with { Excused = [ConsumerName.Nobody] }).Step);
    }

    [Fact]
    public void What_a_system_issued_and_somebody_ended_is_replaced_since_nobody_can_bring_it_back()
    {
        var seen = Whole(new(1)).Observe(blind: false) with { Restorable = false };
        var gone = seen with { Current = seen.Current! with { Standing = CredentialStanding.Refused } };
        Assert.Equal(RotationStep.Create, RotationPolicy.Decide(gone, Progress("r")).Step);
        var made = gone with { Pending = new("r", "b", 1, CredentialStanding.Accepted) };
        Assert.Equal(RotationStep.Promote, RotationPolicy.Decide(made, Progress("r")).Step);
        // Its own one: it would be ended again and again.
        Assert.Equal(RotationStep.Stop, RotationPolicy.Decide(gone with { Current = gone.Current! with { Rotation = "r" } }, Progress("r")).Step);
        Assert.Equal(RotationStep.Restore, RotationPolicy.Decide(gone with { Restorable = true }, Progress("r")).Step);
    }

    [Fact]
    public void A_session_with_the_old_login_keeps_it_valid_and_is_named()
    {
        var seen = HandedOut() with { Old = new("a", 1, ["reporting from 10.0.0.7"]) };
        var decision = RotationPolicy.Decide(seen, Progress("r") with { ProvedSince = seen.SeenAt - (2 * Settle) });
        Assert.Equal(RotationStep.Wait, decision.Step);
        Assert.Contains("reporting from 10.0.0.7", decision.Why, StringComparison.Ordinal);
        Assert.Equal(RotationStep.Wait, RotationPolicy.Decide(seen with { Old = new("a", null, []) }, Progress("r")).Step);
    }

    [Fact]
    public void Revokes_only_when_the_proof_has_held()
    {
        var seen = HandedOut();
        Assert.Equal(RotationStep.Settle, RotationPolicy.Decide(seen, Progress("r")).Step);
        Assert.Equal(RotationStep.Settle, RotationPolicy.Decide(seen, Progress("r") with { ProvedSince = seen.SeenAt - Settle + TimeSpan.FromSeconds(1) }).Step);
        Assert.Equal(RotationStep.Revoke, RotationPolicy.Decide(seen, Progress("r") with { ProvedSince = seen.SeenAt - Settle }).Step);
    }

    [Theory]
    [InlineData(ConsumerStanding.Unknown, RotationStep.Wait)]
    [InlineData(ConsumerStanding.Old, RotationStep.Refresh)]
    [InlineData(ConsumerStanding.Changing, RotationStep.Wait)]
    [InlineData(ConsumerStanding.Failed, RotationStep.Stop)]
    public void One_unproved_consumer_keeps_the_old_value_valid(ConsumerStanding standing, RotationStep expected)
    {
        var seen = HandedOut();
        var decision = RotationPolicy.Decide(
            seen with { Consumers = [.. seen.Consumers, new("Deployment/late", true, standing, "why")] }, Progress("r") with { ProvedSince = seen.SeenAt - (2 * Settle) });
        Assert.Equal((expected, "Deployment/late"), (decision.Step, Assert.Single(decision.Consumers)));
    }

    [Fact]
    public void Restarts_one_consumer_at_a_time_and_none_when_somebody_else_restarts_them()
    {
        var seen = HandedOut() with { Consumers = [new("Deployment/b", true, ConsumerStanding.Old, ""), new("Deployment/a", true, ConsumerStanding.Old, "")] };
        Assert.Equal(["Deployment/a"], RotationPolicy.Decide(seen, Progress("r")).Consumers);
        var held = RotationPolicy.Decide(seen, Progress("r") with { HoldRefresh = true });
        Assert.Equal(RotationStep.Wait, held.Step);
        Assert.Equal(["Deployment/a", "Deployment/b"], held.Consumers);
    }

    [Fact]
    public void Versions_of_before_the_first_rotation_are_left_alone_until_it_has_handed_out_its_own()
    {
        var secret = Whole(new(1));
        secret.Versions.Insert(0, ("", "a", 77));
        secret.Versions[^1] = secret.Versions[^1]!.Value with { Rotation = "" };
        Assert.Equal(RotationStep.Create, RotationPolicy.Decide(secret.Observe(blind: false), Progress("r")).Step);
    }

    public static TheoryData<string> BrokenStates() =>
    [
        "pending left", "pending left and set", "pending is current", "pending half promoted", "changed in the system, not in the store", "current revoked", "previous revoked early",
        "store lost", "published something else", "previous left", "half of the consumers restarted", "both refused", "pending of nobody",
    ];

    private static void Break(ModelSecret secret, string state)
    {
        var (rotation, login, value) = secret.CurrentValue!.Value;
        switch (state)
        {
            case "pending left":
                secret.Pending = ("dead", "b", secret.NewValue());
                break;
            case "pending left and set":
                secret.Pending = ("dead", "b", secret.NewValue());
                secret.Accepted["b"] = secret.Pending.Value.Value;
                break;
            case "pending is current":
                secret.Pending = (rotation, login, value);
                break;
            case "pending half promoted":
                secret.Pending = ("dead", "b", secret.NewValue());
                secret.Accepted["b"] = secret.Pending.Value.Value;
                secret.Versions.Add(secret.Pending);
                break;
            case "changed in the system, not in the store":
                secret.Pending = ("dead", login, secret.NewValue());
                secret.Accepted[login] = secret.Pending.Value.Value;
                break;
            case "current revoked":
                secret.Accepted.Remove(login);
                break;
            case "previous revoked early":
                secret.Versions.Add(("dead", "b", secret.NewValue()));
                secret.Accepted["b"] = secret.CurrentValue!.Value.Value;
                secret.Accepted.Remove("a");
                break;
            case "store lost":
                secret.Versions.Clear();
                break;
            case "published something else":
                secret.Published = ("a", 999);
                break;
            case "previous left":
                secret.Versions.Add(("dead", "b", secret.NewValue()));
                secret.Accepted["b"] = secret.CurrentValue!.Value.Value;
                secret.Published = ("b", secret.Accepted["b"]);
                secret.Consumers.ForEach(consumer => (consumer.Stamped, consumer.Uses) = (secret.Current, secret.Published));
                break;
            case "half of the consumers restarted":
                secret.Versions.Add(("dead", "b", secret.NewValue()));
                secret.Accepted["b"] = secret.CurrentValue!.Value.Value;
                secret.Published = ("b", secret.Accepted["b"]);
                (secret.Consumers[0].Stamped, secret.Consumers[0].Uses) = (secret.Current, secret.Published);
                break;
            case "both refused":
                secret.Pending = ("dead", "b", secret.NewValue());
                secret.Accepted.Clear();
                break;
            default:
                secret.Pending = ("", "b", secret.NewValue());
                break;
        }
    }

    /// <summary>As a run does it, with looks that see nothing, and steps that are lost before or after their effect, or are carried out five times.</summary>
    private static void Run(ModelSecret secret, Random random, int seed, bool mayLockOut, int? abortAfter = null)
    {
        var (rotation, looked, returning, aborting) = ("r", false, false, false);
        DateTimeOffset? proved = null;
        for (var step = 0; step < 400; step++)
        {
            var seen = secret.Observe(blind: random.Next(6) == 0);
            if (!looked && RotationPolicy.LeftBy(seen) is { } left)
                rotation = left;
            looked = true;
            aborting |= step == abortAfter;
            if (aborting && seen.Current?.Rotation == RotationPolicy.ReturnOf(rotation))
                (returning, rotation) = (true, RotationPolicy.ReturnOf(rotation));
            var progress = Progress(rotation) with { ProvedSince = proved };
            var decision = aborting && !returning ? RotationPolicy.Abort(seen, progress) : null;
            aborting &= returning || decision is not null;
            if (decision is null)
            {
                decision = RotationPolicy.Decide(seen, progress);
                proved = decision.Step is RotationStep.Settle or RotationStep.Revoke ? proved ?? seen.SeenAt : null;
            }

            if (decision.Step == RotationStep.Finish)
            {
                Assert.True(secret.Consumers.TrueForAll(consumer => consumer.Uses == secret.Published), $"seed {seed}: a consumer uses something else");
                Assert.True(secret.EverybodyIsLetIn, $"seed {seed}: somebody is locked out");
                Assert.True(secret.Accepted.Count == 1, $"seed {seed}: {secret.Accepted.Count} values are valid");
                return;
            }

            Assert.True(decision.Step != RotationStep.Stop, $"seed {seed}: {decision.Why}");
            Assert.True(decision.Step != RotationStep.Revoke || secret.Consumers.TrueForAll(consumer => consumer.Uses?.Login == secret.CurrentValue!.Value.Login), $"seed {seed}: revoked while in use");
            if (random.Next(5) == 0)
                continue;
            var times = random.Next(10) == 0 ? 5 : 1;
            for (var time = 0; time < times; time++)
                if (decision.Step is not (RotationStep.Promote or RotationStep.Adopt or RotationStep.Return or RotationStep.Revoke) || time == 0)
                    secret.CarryOut(decision.Step, rotation, decision.Consumers);
            Assert.True(mayLockOut || secret.EverybodyIsLetIn, $"seed {seed}: {decision.Step} locks somebody out");
            if (decision.Step == RotationStep.Withdraw)
            {
                Assert.True(secret.Accepted.Count == 1 && secret.EverybodyIsLetIn, $"seed {seed}: not as before");
                return;
            }

            if (decision.Step == RotationStep.Return && random.Next(3) > 0)
                (returning, rotation) = (true, RotationPolicy.ReturnOf(rotation));
        }

        Assert.Fail($"seed {seed}: it does not end");
    }

    /// <summary>In use by three consumers, adopted or of an earlier rotation.</summary>
    private static ModelSecret Whole(Random random)
    {
        var secret = new ModelSecret(random, Settle);
        var value = secret.NewValue();
        secret.Versions.Add((random.Next(2) == 0 ? "adopted" : "earlier", "a", value));
        secret.Accepted["a"] = value;
        secret.Published = ("a", value);
        secret.Consumers.AddRange(new[] { "Deployment/x", "Deployment/y", "StatefulSet/z" }.Select(name => new ModelConsumer(name) { Uses = ("a", value) }));
        return secret;
    }

    private static ObservedSecret HandedOut()
    {
        var secret = Whole(new(1));
        secret.Versions.Add(("r", "b", secret.NewValue()));
        secret.Accepted["b"] = secret.CurrentValue!.Value.Value;
        secret.Published = ("b", secret.Accepted["b"]);
        secret.Consumers.ForEach(consumer => (consumer.Stamped, consumer.Uses) = (secret.Current, secret.Published));
        return secret.Observe(blind: false);
    }

    private static RotationProgress Progress(string rotation) => new(rotation, Settle, null, []);
}

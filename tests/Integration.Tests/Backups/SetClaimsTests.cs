using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>Claims and removals of one set at the same time: one of them is first, and the other is told.</summary>
public sealed class SetClaimsTests(SandboxAws aws)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_claimed_or_held_is_not_removed_and_what_is_being_removed_is_not_claimed_or_held()
    {
        var (catalog, claims) = await StartAsync();
        await catalog.EnterAsync(Marked("read"), Ct);
        await catalog.EnterAsync(Marked("held"), Ct);
        await catalog.EnterAsync(Marked("going"), Ct);
        await claims.ClaimAsync("read", "verify-1", Ct);
        await claims.HoldAsync("held", new("ana", "the audit"), Ct);
        Assert.Equal((false, false, true), (await claims.SweepAsync("read", Ct), await claims.SweepAsync("held", Ct), await claims.SweepAsync("going", Ct)));
        // The removal that was begun is gone on with.
        Assert.True(await claims.SweepAsync("going", Ct));
        var refused = await Assert.ThrowsAsync<AdapterException>(() => claims.ClaimAsync("going", "verify-2", Ct));
        Assert.Equal(AdapterFailureKind.Conflict, refused.Kind);
        Assert.Contains("going is being removed", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<AdapterException>(() => claims.HoldAsync("going", new("ana", "too late"), Ct));

        await claims.ReleaseAsync("read", "verify-1", Ct);
        await claims.HoldAsync("held", null, Ct);
        Assert.Equal((true, true), (await claims.SweepAsync("read", Ct), await claims.SweepAsync("held", Ct)));
        await claims.ReleaseAsync("nowhere", "verify-1", Ct);
    }

    [Fact]
    public async Task Of_a_claim_and_a_removal_at_the_same_moment_exactly_one_succeeds()
    {
        var (catalog, claims) = await StartAsync();
        for (var race = 0; race < 20; race++)
        {
            var id = $"set-{race}";
            await catalog.EnterAsync(Marked(id), Ct);
            var (sweep, claim) = (claims.SweepAsync(id, Ct), TryClaimAsync(claims, id));
            Assert.NotEqual(await sweep, await claim);
        }
    }

    private static async Task<bool> TryClaimAsync(SetClaims claims, string id)
    {
        try
        {
            await claims.ClaimAsync(id, "verify-1", Ct);
            return true;
        }
        catch (AdapterException refused) when (refused.Kind == AdapterFailureKind.Conflict)
        {
            return false;
        }
    }

    private static BackupSet Marked(string id) => new()
    {
        Id = id,
        Environment = "production",
        Region = "us-east-1",
        Store = "postgresql",
        Kind = StoreKind.Postgresql,
        Method = BackupMethod.Full,
        Outcome = BackupOutcome.Complete,
        StartedAt = TimeProvider.System.GetUtcNow().AddDays(-60),
        MarkedAt = TimeProvider.System.GetUtcNow().AddDays(-2),
    };

    private async Task<(BackupCatalog Catalog, SetClaims Claims)> StartAsync()
    {
        var connection = aws.Connect();
        var bucket = $"claims-{Guid.NewGuid():N}"[..20];
        await new Buckets(connection).EnsureAsync(new() { Name = bucket }, new("test", "production", "backups"), "op-1", Ct);
        var catalog = new BackupCatalog(new(connection, bucket), "catalog/");
        return (catalog, new(catalog, TimeProvider.System));
    }
}

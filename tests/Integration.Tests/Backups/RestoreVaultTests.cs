using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Vault;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Integration.Tests.Vault;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.Vault;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>A Vault in use, brought back to a set: what was revoked since is revoked again, and nobody who logs in afterwards is touched.</summary>
public sealed class RestoreVaultTests(SandboxCluster cluster, SandboxAws aws)
{
    private const string Hush = "hush-in-the-vault";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_revoked_since_the_set_is_revoked_again_and_what_is_newer_is_left()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await using var source = await StandIn.StartAsync();
        var (values, roles, tokens) = (new VaultKeyValues(source.Root), new VaultAppRoles(source.Root), new VaultTokens(source.Root));
        await new VaultSystem(source.Root).MountAsync("secret", "kv", Ct, options: new Dictionary<string, string> { ["version"] = "2" });
        await new VaultSystem(source.Root).EnableLoginMethodAsync("approle", "approle", Ct);
        await roles.WriteAsync("shop", new(["shop"], TimeSpan.FromMinutes(30), TimeSpan.FromHours(2)), TimeSpan.Zero, Ct);
        var (kept, leaked) = (await roles.NewSecretIdAsync("shop", Ct), await roles.NewSecretIdAsync("shop", Ct));
        var stolen = await tokens.NewAsync(null, ["default"], TimeSpan.FromDays(30), "stolen", new Dictionary<string, string>(), Ct);
        await values.WriteAsync("shop", Password(Hush), null, Ct);
        await values.WriteAsync("team/doomed", Password(Hush), null, Ct);
        var pki = await AuthorityAsync(source);
        var first = await pki.SignAsync("orders", Request(), TimeSpan.FromDays(1), Ct);
        using var activities = await ActivitiesAsync(platform, source, source.Server.RootToken);
        var store = new StoreReference(platform.Environment, "state");
        await BackUpAsync(platform, activities, store, "op-1");

        source.Clock.Advance(TimeSpan.FromHours(1));
        await roles.DestroySecretIdAsync("shop", leaked.Accessor, Ct);
        await tokens.RevokeAsync(stolen.Accessor, Ct);
        var second = await pki.SignAsync("orders", Request(), TimeSpan.FromDays(1), Ct);
        await pki.RevokeAsync(first.Serial, Ct);
        await pki.RevokeAsync(second.Serial, Ct);
        await values.DestroyAsync("team/doomed", [1], Ct);
        await values.WriteAsync("shop", Password("of-today"), null, Ct);
        await BackUpAsync(platform, activities, store, "op-2-before");

        source.Clock.Advance(TimeSpan.FromHours(1));
        var plan = (await platform.RunAsync(() => activities.PlanVaultRestoreAsync(new(store, "op-2", "op-1", null, false)))).Plan!;
        Assert.Contains("has no set op-9", (await platform.RunAsync(() => activities.PlanVaultRestoreAsync(new(store, "op-2", "op-9", null, false)))).Refusal, StringComparison.Ordinal);
        foreach (var step in new[] { VaultRestoreStep.Inventory, VaultRestoreStep.Restore, VaultRestoreStep.Open })
            await DoAsync(platform, activities, store, plan, step);
        // Whoever died after the effect finds it done, and what was written down first stays.
        Assert.Contains("It was done before", (await DoAsync(platform, activities, store, plan, VaultRestoreStep.Restore)).Detail, StringComparison.Ordinal);
        Assert.Contains("by an earlier run of this operation", (await DoAsync(platform, activities, store, plan, VaultRestoreStep.Inventory)).Detail, StringComparison.Ordinal);
        await roles.ProveAsync("shop", leaked.Value, Ct);
        var notYet = await platform.FailsAsync(FailureTypes.Rejected, () => DoAsync(platform, activities, store, plan, VaultRestoreStep.Verify));
        Assert.Contains("Revoked before the restore, and valid still: ", notYet.Message, StringComparison.Ordinal);

        source.Clock.Advance(TimeSpan.FromMinutes(1));
        var newer = await roles.NewSecretIdAsync("shop", Ct);
        var fenced = await DoAsync(platform, activities, store, plan, VaultRestoreStep.Fence);
        Assert.Equal(
            new[] { $"certificate {first.Serial} of pki", $"certificate {second.Serial} of pki", "destroyed version 1 of secret/team/doomed", $"secret id {leaked.Accessor} of role shop (approle)", $"token {stolen.Accessor}" }.Order(StringComparer.Ordinal),
            fenced.Revoked!.Order(StringComparer.Ordinal));
        Assert.Contains(fenced.Named!, named => named.StartsWith("secret/shop is at version 1 again, and was at 2", StringComparison.Ordinal));
        // An attempt that comes after one that died says all of it too.
        Assert.Equal(5, (await DoAsync(platform, activities, store, plan, VaultRestoreStep.Fence)).Revoked!.Count);
        await DoAsync(platform, activities, store, plan, VaultRestoreStep.Verify);

        await Assert.ThrowsAsync<VaultException>(() => roles.ProveAsync("shop", leaked.Value, Ct));
        await roles.ProveAsync("shop", kept.Value, Ct);
        await roles.ProveAsync("shop", newer.Value, Ct);
        Assert.Null(await tokens.FindAsync(stolen.Token, Ct));
        Assert.Equal(2, (await pki.RevokedAsync(Ct)).Count);
        Assert.True((await values.ReadAsync("team/doomed", Ct, 1))!.Destroyed);
        Assert.DoesNotContain(platform.Spoken, text => text.Contains(Hush, StringComparison.Ordinal) || text.Contains(source.Server.RootToken, StringComparison.Ordinal) || text.Contains(leaked.Value.Reveal(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_new_Vault_is_sealed_by_the_restore_and_each_next_step_is_said()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await using var source = await StandIn.StartAsync();
        await using var target = await StandIn.StartAsync();
        await new VaultSystem(source.Root).MountAsync("secret", "kv", Ct, options: new Dictionary<string, string> { ["version"] = "2" });
        await new VaultKeyValues(source.Root).WriteAsync("shop", Password(Hush), null, Ct);
        var store = new StoreReference(platform.Environment, "state");
        using (var before = await ActivitiesAsync(platform, source, source.Server.RootToken))
            await BackUpAsync(platform, before, store, "op-1");

        using var activities = await ActivitiesAsync(platform, target, target.Server.RootToken);
        var plan = (await platform.RunAsync(() => activities.PlanVaultRestoreAsync(new(store, "op-2", null, null, false)))).Plan!;
        var refused = await platform.FailsAsync(FailureTypes.Rejected, () => DoAsync(platform, activities, store, plan, VaultRestoreStep.Restore));
        Assert.Contains("has other unseal keys than op-1, and nothing was replaced. Abort, and start again with otherKeys", refused.Message, StringComparison.Ordinal);
        Assert.False((await new VaultSystem(target.Root).SealStatusAsync(Ct)).Sealed);

        plan = (await platform.RunAsync(() => activities.PlanVaultRestoreAsync(new(store, "op-2", null, null, true)))).Plan!;
        await DoAsync(platform, activities, store, plan, VaultRestoreStep.Restore);
        Assert.Contains("It was done before", (await DoAsync(platform, activities, store, plan, VaultRestoreStep.Restore)).Detail, StringComparison.Ordinal);
        refused = await platform.FailsAsync(FailureTypes.Rejected, () => DoAsync(platform, activities, store, plan, VaultRestoreStep.Open));
        Assert.Contains("is sealed by the restore. Unseal it with the keys of op-1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("is sealed, and takes a snapshot only when it is not", (await platform.RunAsync(() => activities.PlanVaultRestoreAsync(new(store, "op-2", null, null, true)))).Refusal, StringComparison.Ordinal);

        await new VaultSystem(target.Root).UnsealAsync(new(source.Server.UnsealKey), Ct);
        refused = await platform.FailsAsync(FailureTypes.Unauthorized, () => DoAsync(platform, activities, store, plan, VaultRestoreStep.Open));
        Assert.Contains("does not take ours, which is newer", refused.Message, StringComparison.Ordinal);
        File(platform, "vault.token", source.Server.RootToken);
        await DoAsync(platform, activities, store, plan, VaultRestoreStep.Open);
        refused = await platform.FailsAsync(FailureTypes.Rejected, () => DoAsync(platform, activities, store, plan, VaultRestoreStep.Fence));
        Assert.Contains("Nobody knows what was valid before the restore", refused.Message, StringComparison.Ordinal);
        Assert.Contains("secret/shop is at version 1.", refused.Message, StringComparison.Ordinal);
        Assert.Contains("was answered for", (await DoAsync(platform, activities, store, plan, VaultRestoreStep.Verify)).Detail, StringComparison.Ordinal);
    }

    private static Task<VaultRestoreStepResult> DoAsync(TestPlatform platform, BackupActivities activities, StoreReference store, VaultRestorePlan plan, VaultRestoreStep step) =>
        platform.RunAsync(() => activities.VaultRestoreStepAsync(new(store, "op-2", plan, step)));

    private static async Task BackUpAsync(TestPlatform platform, BackupActivities activities, StoreReference store, string operation)
    {
        await platform.RunAsync(() => activities.BeginBackupAsync(new(store, operation, StoreKind.Vault, null)));
        var made = await platform.RunAsync(() => activities.MakeBackupAsync(new(store, operation, BackupMethod.Full)));
        await platform.RunAsync(() => activities.RecordBackupAsync(new(store, operation, made, null)));
    }

    private static async Task<VaultPki> AuthorityAsync(StandIn vault)
    {
        await new VaultSystem(vault.Root).MountAsync("pki", "pki", Ct, longestTtl: TimeSpan.FromDays(3650));
        var pki = new VaultPki(vault.Root);
        await pki.GenerateRootAsync("Orders", "root", TimeSpan.FromDays(365), Ct);
        await pki.WriteRoleAsync("orders", new(["orders.test"]) { AllowSubdomains = true }, Ct);
        return pki;
    }

    private static string Request()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=db.orders.test", key, HashAlgorithmName.SHA256);
        return request.CreateSigningRequestPem();
    }

    private static Dictionary<string, SecretText> Password(string value) => new() { ["password"] = new(value) };

    private async Task<BackupActivities> ActivitiesAsync(TestPlatform platform, StandIn vault, string token)
    {
        if (!platform.Read("catalog/ground/component.yaml").Contains("backups:", StringComparison.Ordinal))
            platform.Write("catalog/ground/component.yaml", platform.Read("catalog/ground/component.yaml").Replace("health: []", "health: [{vault: {service: vault, tls: false}}]", StringComparison.Ordinal) + """

                backups:
                  - {name: state, store: vault, schedules: [{every: 12h}], retention: 14d, rpo: 24h, rto: 1h}
                """);
        using var connection = aws.Connect();
        var name = $"backups-{platform.Suffix}";
        await new Buckets(connection).EnsureAsync(new() { Name = name }, new("test", "production", "backups"), "op-1", Ct);
        return new(new(platform.SpecificationFolder, Path.Combine(platform.SpecificationFolder, "..", "catalog")), new()
        {
            Regions = new Dictionary<string, RegionConnection> { [TestPlatform.Region] = new() { Vault = new(Address: vault.Server.Address.ToString(), TokenFile: File(platform, "vault.token", token)) } },
            Backups = new Dictionary<string, BackupAccess> { [platform.Environment] = new() { Bucket = name, Aws = aws.Settings(name) with { Region = "us-east-1" } } },
        }, vault.Clock);
    }

    private static string File(TestPlatform platform, string name, string text)
    {
        platform.Write(name, text);
        return Path.GetFullPath(Path.Combine(platform.SpecificationFolder, "..", name));
    }
}

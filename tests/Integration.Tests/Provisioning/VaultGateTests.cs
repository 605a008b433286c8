using PlatformOps.Adapters.Vault;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Sandbox.Vault;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>The gate that asks Vault itself how it is.</summary>
public sealed class VaultGateTests(SandboxCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Passes_when_it_is_unsealed_and_our_policy_is_readable()
    {
        await using var vault = await SandboxVault.StartAsync(new(), Ct);
        await PolicyAsync(vault);

        Assert.Contains("is unsealed and active, and policy platformops is readable", (await AwaitAsync(vault, TimeSpan.FromMinutes(2))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waits_for_a_sealed_one_until_the_deadline_and_says_so()
    {
        await using var vault = await SandboxVault.StartAsync(new(), Ct);
        await PolicyAsync(vault);
        vault.State = SandboxVaultState.Sealed;
        Assert.Contains("is sealed: unseal it", (await FailsAsync(vault)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waits_for_a_policy_that_is_not_there()
    {
        await using var vault = await SandboxVault.StartAsync(new(), Ct);
        Assert.Contains("has no policy platformops yet", (await FailsAsync(vault)).Message, StringComparison.Ordinal);
    }

    private static async Task PolicyAsync(SandboxVault vault)
    {
        using var connection = VaultConnection.Open(new("tests", vault.Address), new GivenToken(new(vault.RootToken)));
        await new VaultSystem(connection).WritePolicyAsync("platformops", "path \"secret/*\" { capabilities = [\"read\"] }", Ct);
    }

    private async Task<Exception> FailsAsync(SandboxVault vault)
    {
        var failure = await Assert.ThrowsAsync<Temporalio.Exceptions.ApplicationFailureException>(() => AwaitAsync(vault, TimeSpan.Zero));
        Assert.Equal(FailureTypes.Unhealthy, failure.ErrorType);
        Assert.DoesNotContain(vault.RootToken, failure.ToString(), StringComparison.Ordinal);
        return failure;
    }

    private async Task<ComponentHealth> AwaitAsync(SandboxVault vault, TimeSpan within)
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Write("catalog/app/component.yaml", $$"""
            name: app
            summary: Asks Vault.
            plane: security
            namespace: {{platform.Space}}
            dependsOn: [ground]
            health:
              - vault: {service: vault, tls: false, policy: platformops}
            manifests: [settings.yaml]
            """);
        platform.Write("catalog/app/settings.yaml", """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: settings}
            data: {a: b}
            """);
        platform.Remove("catalog/app/extra.yaml");
        platform.Remove("catalog/app/web.yaml");
        var token = Path.Combine(cluster.Folder, $"{platform.Suffix}.token");
        await File.WriteAllTextAsync(token, vault.RootToken, Ct);
        var activities = platform.ActivitiesWith(
            cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token), vault: new(vault.Address.GetLeftPart(UriPartial.Authority), TokenFile: token));
        var plan = (await platform.PlanAsync(activities)).Plan;
        return await platform.RunAsync(() => activities.AwaitHealthAsync(new(platform.Reference(plan, "app"), within)));
    }
}

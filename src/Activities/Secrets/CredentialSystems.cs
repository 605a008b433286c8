using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Secrets;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Secrets;

/// <summary>Finds the system that a declared secret is for.</summary>
internal sealed class CredentialSystems(RegionConnections connections)
{
    public async Task<ICredentialSystem> OpenAsync(ComponentDefinition component, RotationDefinition rotation, RegionSpecification region, CancellationToken ct)
    {
        if (rotation.Kind == RotationKind.Value)
            return new NobodyToAsk();
        if (connections.PlaysPostgresql(region.Name))
            throw new ApplicationFailureException(
                $"A sandbox plays PostgreSQL of {region.Name} without a server: its logins cannot be rotated. State regions.{region.Name}.postgresql of a real one in the connections file.",
                FailureTypes.Rejected, nonRetryable: true);
        return new PostgresqlUsers(await connections.PostgresqlAsync(component.Health.OfType<PostgresqlGate>().First(), region, ct));
    }

    private sealed class PostgresqlUsers(PostgresServer server) : ICredentialSystem
    {
        private readonly PostgresLogins logins = new(server);

        public Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct) => logins.TryAsync(credential.Login ?? "", credential.Value, ct);

        public string NextLogin(KeptCredential current) => PostgresLogins.Other(current.Login ?? "");

        public Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) => logins.SetAsync(credential.Login ?? "", credential.Value, PostgresLogins.Owner(credential.Login ?? ""), ct);

        public Task RevokeAsync(string login, CancellationToken ct) => logins.RevokeAsync(login, ct);

        public async Task<OldSessions?> SessionsAsync(string login, CancellationToken ct) => await logins.SessionsAsync(login, ct);

        public void Dispose() => server.Dispose();
    }

    /// <summary>A value that only its consumers know.</summary>
    private sealed class NobodyToAsk : ICredentialSystem
    {
        public Task<CredentialStanding> TryAsync(KeptCredential credential, CancellationToken ct) => Task.FromResult(CredentialStanding.Accepted);

        public string? NextLogin(KeptCredential current) => null;

        public Task SetAsync(KeptCredential credential, KeptCredential current, CancellationToken ct) => Task.CompletedTask;

        public Task RevokeAsync(string login, CancellationToken ct) => Task.CompletedTask;

        public Task<OldSessions?> SessionsAsync(string login, CancellationToken ct) => Task.FromResult<OldSessions?>(null);

        public void Dispose()
        {
            // There is nothing open.
        }
    }
}

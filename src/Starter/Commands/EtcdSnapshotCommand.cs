using System.CommandLine;
using PlatformOps.Activities.Backups;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Commands;

/// <summary>Brings the snapshot of etcd out of a set: it is restored where the control plane runs, which no API reaches then.</summary>
internal static class EtcdSnapshotCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var store = new Argument<string>("store") { Description = "The store's name in the catalog, for example cluster-state." };
        var set = new Argument<string>("set") { Description = "The id of the set, as `backup list` shows it." };
        var region = new Option<string>("--region") { Description = "The region whose store is meant, where each region has its own.", HelpName = "NAME" };
        var connections = new Option<string>("--connections") { Description = "How the bucket is reached, and the keys: the file that workers have.", HelpName = "FILE", Required = true };
        var to = new Option<string>("--to") { Description = "The file to write; it must not be there.", HelpName = "FILE", Required = true };
        return new CliCommand("etcd", "Write the snapshot of etcd in a set into a file, check it, and say how etcd is restored from it. Needs no Temporal server; changes nothing else.",
            new Example("backup etcd production cluster-state SET --region us-east-1 --connections platform.json --to etcd.db", "then as it says, on the nodes of the control plane"))
        {
            environment, store, set, region, connections, to,
        }
        .Runs(async (invocation, ct) =>
        {
            var file = Path.GetFullPath(invocation.Get(to)!);
            if (Path.Exists(file))
                throw new CommandFailure(ExitCode.Usage, $"--to is {file}, which is there already.", "A snapshot does not overwrite anything.", "Name another file.");
            if (!Directory.Exists(Path.GetDirectoryName(file)))
                throw new CommandFailure(ExitCode.Usage, $"--to is {file}, and {Path.GetDirectoryName(file)} is no folder.", "The snapshot holds every Secret of the cluster: where it comes to lie is for you to choose.", "Make the folder, or name another file.");
            using var backups = new BackupActivities(
                new ProvisioningSources(invocation.Locations.Specification, invocation.Locations.Catalog), WorkerCommand.Connections(invocation.Get(connections), invocation.Locations.Data, instance: null));
            var snapshot = await WriteAsync(backups, new(invocation.Get(environment), invocation.Get(store), invocation.Get(region)), invocation.Get(set)!, file, ct);
            foreach (var line in Steps(snapshot, file))
                invocation.Terminal.Line(line);
            invocation.Terminal.Result(new { file, set = invocation.Get(set), snapshot.Version, snapshot.Revision, snapshot.Keys, snapshot.Bytes, snapshot.Digest });
            return ExitCode.Success;
        });
    }

    private static async Task<EtcdSnapshot> WriteAsync(BackupActivities backups, StoreReference store, string set, string file, CancellationToken ct)
    {
        try
        {
            return await backups.WriteEtcdAsync(store, set, file, ct);
        }
        catch (Exception failure) when (failure is AdapterException or ApplicationFailureException or IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(CodeOf(failure), $"The snapshot of etcd in {set} is not written.", failure.Message, "See docs/runbooks/restore-cluster-state.md#etcd.", failure);
        }
    }

    private static ExitCode CodeOf(Exception failure) => failure switch
    {
        AdapterException { Kind: AdapterFailureKind.Missing } => ExitCode.NotFound,
        AdapterException { Kind: AdapterFailureKind.Rejected } => ExitCode.Invalid,
        ApplicationFailureException { ErrorType: FailureTypes.InvalidInput } => ExitCode.Usage,
        ApplicationFailureException => ExitCode.Invalid,
        _ => ExitCode.Failure,
    };

    private static IEnumerable<string> Steps(EtcdSnapshot snapshot, string file) =>
    [
        $"{file}: {snapshot}. Its checksum fits. It holds every Secret of the cluster: delete it afterwards.",
        "1. Stop kube-apiserver and etcd on every node of the control plane (kubeadm: move their files out of /etc/kubernetes/manifests), and bring the file there.",
        "2. On each, with its own NAME and ADDRESS, and all of them in --initial-cluster:",
        $"   etcdutl snapshot restore {Path.GetFileName(file)} --data-dir /var/lib/etcd-restored --name NAME --initial-cluster NAME=https://ADDRESS:2380 --initial-advertise-peer-urls https://ADDRESS:2380 --initial-cluster-token restored",
        "   of etcd 3.6 and newer with --bump-revision 1000000000 --mark-compacted, so that nobody goes on watching from a revision that is not there any more; of 3.4 and before it is ETCDCTL_API=3 etcdctl snapshot restore.",
        "3. Move the old data directory aside, put the restored one in its place with the owner of before, start etcd on every node, then kube-apiserver, then restart controllers, schedulers and kubelets.",
        $"4. etcdctl endpoint status on every node: a revision of {snapshot.Revision} or more.",
    ];
}

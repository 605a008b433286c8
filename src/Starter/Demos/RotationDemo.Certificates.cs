using System.Text.Json;
using PlatformOps.Workflows.Certificates;

namespace PlatformOps.Starter.Demos;

/// <summary>What of the story is about certificates: a leaf and then its root are replaced while every pod makes handshakes with others.</summary>
internal sealed partial class RotationDemo
{
    /// <returns>How many were rotated, and how many consumers are not proved.</returns>
    private async Task<(int Rotated, int Unproved)> RotateCertificatesAsync(RotationDemoWorld world, CancellationToken ct)
    {
        Say($"{world.Pods.Names.Count} pods speak TLS with each other all the time: {world.Pods.Handshakes} handshakes so far.");
        var certificates = await FollowAsync<RotateCertificatesReport>(
            world, nameof(RotateCertificates), new RotateCertificatesInput { Environment = RotationDemoWorld.Environment, Certificates = [RotationDemoWorld.Certificate] }, RotateCertificates.WorkflowId(RotationDemoWorld.Environment), ct);
        var leaf = await world.Client.GetWorkflowHandle(RotateCertificate.WorkflowId(RotationDemoWorld.Environment, RotationDemoWorld.Certificate, RotationDemoWorld.Region)).GetResultAsync<RotateCertificateReport>();
        Say($"{leaf.Consumers.Sum(consumer => consumer.Pods.Count)} pods serve {leaf.Fingerprint?[..12]}; {world.Pods.Handshakes} handshakes so far, {world.Pods.Failures.Count} failed.");

        using var old = await world.SignedNowAsync(ct);
        Say($"A certificate of the root of before is accepted by {(await world.Pods.AcceptAsync(old, ct)).Count} of {world.Pods.Names.Count} pods.");
        var authority = await FollowAsync<RotateCertificateAuthorityReport>(
            world, nameof(RotateCertificateAuthority), new RotateCertificateAuthorityInput { Environment = RotationDemoWorld.Environment, Authority = RotationDemoWorld.Authority, Region = RotationDemoWorld.Region },
            RotateCertificateAuthority.WorkflowId(RotationDemoWorld.Environment, RotationDemoWorld.Authority, RotationDemoWorld.Region), ct);
        var accepting = await world.Pods.AcceptAsync(old, ct);
        Say($"The roots: {string.Join(", ", authority.Roots.Select(root => $"{root.Name} is {JsonNamingPolicy.CamelCase.ConvertName($"{root.State}")}"))}. A certificate of the root of before is accepted by {accepting.Count} of {world.Pods.Names.Count} pods.");
        Say($"{world.Pods.Handshakes} handshakes so far, {world.Pods.Failures.Count} failed{(world.Pods.Failures.IsEmpty ? "" : $": {string.Join("; ", world.Pods.Failures.Take(3))}")}.");
        return (
            certificates.Rotated + (authority.Outcome == AuthorityOutcome.Rotated ? 1 : 0),
            leaf.Consumers.Count(consumer => consumer.Pods.Any(pod => pod.Fingerprint != leaf.Fingerprint))
            + authority.Consumers.Count(consumer => consumer.Pods.Count == 0 || consumer.Pods.Any(pod => (pod.AcceptsNew, pod.AcceptsOld) != (true, false))));
    }
}

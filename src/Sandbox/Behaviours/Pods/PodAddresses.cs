using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Pods;

/// <summary>Gives every pod an address of its own out of its network: the one that its name stands for, or the next free one.</summary>
internal sealed class PodAddresses
{
    private const int Addresses = 256 * 254;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _owners = [];

    private readonly string _network;

    public PodAddresses(WatchCache pods, string network)
    {
        _network = network;
        pods.Changed += change =>
        {
            if (change.Latest.Status.Text("podIP") is not { } address)
                return;
            lock (_lock)
            {
                if (change.After is not null)
                    _owners[address] = change.Latest.Uid;
                else if (_owners.GetValueOrDefault(address) == change.Latest.Uid)
                    _owners.Remove(address);
            }
        };
    }

    public string Of(ClusterObject pod)
    {
        if (pod.Status.Text("podIP") is { } known)
            return known;
        var start = BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(pod.Key.ToString())));
        lock (_lock)
            for (var step = 0; step < Addresses; step++)
            {
                var number = (int)((start + step) % Addresses);
                var address = $"{_network}.{number / 254}.{number % 254 + 1}";
                if (!_owners.TryGetValue(address, out var owner) || owner == pod.Uid)
                {
                    _owners[address] = pod.Uid;
                    return address;
                }
            }
        throw new InvalidOperationException($"No pod address is left for {pod.Key}: the sandbox has room for {Addresses} pods in a cluster.");
    }
}

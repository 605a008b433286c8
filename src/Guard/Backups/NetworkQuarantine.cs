using System.Collections.Concurrent;
using System.ComponentModel;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace PlatformOps.Guard.Backups;

/// <summary>A network of the kernel's that has a loopback of its own and nothing else. What is started in it reaches files and their sockets, and no address outside; nobody outside reaches it. It is one thread: what that
/// starts, and the sockets that it opens, are in it.</summary>
internal sealed class NetworkQuarantine : IDisposable
{
    private const int NewNetwork = 0x40000000, GetFlags = 0x8913, SetFlags = 0x8914, Up = 1, InterfaceRequest = 40, InterfaceName = 16;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly BlockingCollection<Action> work = [];
    private readonly Thread thread;
    private string name = "";

    private NetworkQuarantine()
    {
        thread = new(Work) { IsBackground = true, Name = "quarantine" };
        thread.Start();
    }

    /// <exception cref="GuardException">The guard may not make one.</exception>
    public static async Task<NetworkQuarantine> OpenAsync()
    {
        var made = new NetworkQuarantine();
        try
        {
            await made.InAsync(made.Leave);
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <summary>Does something in it.</summary>
    public async Task<T> InAsync<T>(Func<T> act)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        work.Add(() =>
        {
            try
            {
                done.SetResult(act());
            }
            catch (Exception failure)
            {
                // It is the caller's.
                done.SetException(failure);
            }
        });
        return await done.Task;
    }

    /// <summary>Tries to get out: to a listener of ours on each address of this machine, and to an address that is nobody's.</summary>
    /// <returns>How many ways were tried, and those that led out.</returns>
    public async Task<(int Tried, IReadOnlyList<string> Open)> TryOutAsync(CancellationToken ct)
    {
        using var outside = new TcpListener(IPAddress.Any, 0);
        outside.Start();
        var port = ((IPEndPoint)outside.LocalEndpoint).Port;
        List<IPEndPoint> ways =
        [
            .. NetworkInterface.GetAllNetworkInterfaces().SelectMany(each => each.GetIPProperties().UnicastAddresses).Select(each => each.Address).Where(address => address.AddressFamily == AddressFamily.InterNetwork)
                .Append(IPAddress.Loopback).Distinct().Select(address => new IPEndPoint(address, port)),
            new(IPAddress.Parse("192.0.2.1"), 443),
        ];
        // From outside it is reached: what is closed inside is closed by the quarantine.
        using (var own = new TcpClient())
            await own.ConnectAsync(IPAddress.Loopback, port, ct);
        var open = await InAsync(() => ways.Where(Leads).Select(way => $"{way}").ToList());
        return (ways.Count, open);
    }

    /// <summary>How often something in it was told that there is no way to where it wanted.</summary>
    public Task<long> BlockedAsync() => InAsync(() => Counter("snmp", "OutNoRoutes") + Counter("snmp6", "Ip6OutNoRoutes"));

    /// <summary>Ends what is in it.</summary>
    public void Dispose()
    {
        if (work.IsAddingCompleted)
            return;
        foreach (var process in Directory.EnumerateDirectories("/proc").Select(folder => Path.GetFileName(folder)).Where(folder => name.Length > 0 && folder.All(char.IsAsciiDigit) && NetworkOf($"/proc/{folder}") == name))
            Posix.Signal(int.Parse(process, CultureInfo.InvariantCulture), Posix.Kill);
        work.CompleteAdding();
        thread.Join();
        work.Dispose();
    }

    private void Work()
    {
        foreach (var act in work.GetConsumingEnumerable())
            act();
    }

    private bool Leave()
    {
        if (Posix.Unshare(NewNetwork) != 0)
        {
            throw new GuardException(
                $"The guard may not make a network without a way out ({new Win32Exception(Marshal.GetLastPInvokeError()).Message}): a Temporal server is only started in one. Give it CAP_SYS_ADMIN, or leave backup.temporal out of its configuration.");
        }

        name = NetworkOf("/proc/thread-self");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        var request = new byte[InterfaceRequest];
        Encoding.ASCII.GetBytes("lo").CopyTo(request, 0);
        if (Posix.Control((int)socket.Handle, GetFlags, request) == 0)
        {
            request[InterfaceName] |= Up;
            if (Posix.Control((int)socket.Handle, SetFlags, request) == 0)
                return true;
        }

        throw new GuardException($"The loopback of a network without a way out cannot be brought up ({new Win32Exception(Marshal.GetLastPInvokeError()).Message}).");
    }

    private static bool Leads(IPEndPoint way)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            socket.Connect(way);
            return true;
        }
        catch (SocketException failure) when (failure.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            return socket.Poll(Patience, SelectMode.SelectWrite) && socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string NetworkOf(string process)
    {
        try
        {
            return File.ResolveLinkTarget($"{process}/ns/net", returnFinalTarget: false)?.Name ?? "";
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>Two lines for each protocol, names and values; or a name and a value in a line.</summary>
    private static long Counter(string file, string counter)
    {
        var lines = File.ReadAllLines($"/proc/thread-self/net/{file}").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).SelectMany(word => word.Split('\t')).ToArray()).ToList();
        for (var index = 0; index < lines.Count; index++)
        {
            if (lines[index] is [var only, .., var value] && only == counter)
                return long.Parse(value, CultureInfo.InvariantCulture);
            if (Array.IndexOf(lines[index], counter) is > 0 and var at)
                return long.Parse(lines[index + 1][at], CultureInfo.InvariantCulture);
        }

        return 0;
    }
}

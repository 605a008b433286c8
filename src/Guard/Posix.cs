using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PlatformOps.Guard;

/// <summary>What .NET has no call for.</summary>
internal static class Posix
{
    public const int Interrupt = 2, Quit = 3, Kill = 9, HangUp = 1;

    /// <summary>Sends a signal; a process that is gone has got it.</summary>
    public static void Signal(int process, int signal) => _ = SendSignal(process, signal);

    /// <summary>Gives a file to a user.</summary>
    public static void Give(string path, uint user, uint group)
    {
        if (ChangeOwner(path, user, group) != 0)
            throw new GuardException($"{path} cannot be given to the server's user ({new Win32Exception(Marshal.GetLastPInvokeError()).Message}). Run the guard as root or as that user.");
    }

    public static uint CurrentUser() => EffectiveUser();

    /// <summary>Gives the calling thread, and what it starts, something of its own that all had in common.</summary>
    /// <returns>0: done.</returns>
    public static int Unshare(int what) => UnshareCall(what);

    /// <summary>Asks or tells a device something.</summary>
    /// <returns>0: done.</returns>
    public static int Control(int descriptor, ulong request, byte[] argument) => ControlCall(descriptor, request, argument);

    /// <summary>A handle of a directory, to flush it.</summary>
    public static SafeFileHandle OpenDirectory(string path)
    {
        const int directoryOnly = 0x10000;
        var descriptor = Open(path, directoryOnly);
        return descriptor >= 0 ? new(descriptor, ownsHandle: true) : throw new IOException($"{path} cannot be opened.", new Win32Exception(Marshal.GetLastPInvokeError()));
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);

    [DllImport("libc", EntryPoint = "chown", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ChangeOwner([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint user, uint group);

    [DllImport("libc", EntryPoint = "unshare", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int UnshareCall(int what);

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ControlCall(int descriptor, ulong request, byte[] argument);

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint EffectiveUser();

    [DllImport("libc", EntryPoint = "open", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
}

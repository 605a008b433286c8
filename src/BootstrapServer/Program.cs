using PlatformOps.BootstrapServer;

BootstrapServerOptions options;
try
{
    options = ServerArguments.Parse(args);
}
catch (FormatException e)
{
    await Console.Error.WriteLineAsync($"{e.Message}{Environment.NewLine}{Environment.NewLine}{ServerArguments.Usage}");
    return 2;
}
try
{
    await using var server = await BootstrapServerHost.StartAsync(options);
    // Most of what the start made is garbage by now; the machine has better uses for it than the next collection, which may be hours away.
    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    Console.WriteLine($"Bootstrap server: {server.Address}");
    await server.WaitForShutdownAsync();
    return 0;
}
catch (Exception e) when (e is IOException or ArgumentException)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}

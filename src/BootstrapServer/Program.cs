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
    Console.WriteLine($"Bootstrap server: {server.Address}");
    await server.WaitForShutdownAsync();
    return 0;
}
catch (Exception e) when (e is IOException or ArgumentException)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}

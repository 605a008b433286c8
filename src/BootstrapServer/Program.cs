using PlatformOps.BootstrapServer;

await using var server = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { Port = 7233 });
Console.WriteLine($"Bootstrap server: {server.Address}");
await server.WaitForShutdownAsync();
return 0;

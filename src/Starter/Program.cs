using PlatformOps.Starter.CommandLine;

return await CommandLineProgram.RunAsync(args);

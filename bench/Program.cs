using PlatformOps.Bench;

return await Benchmarks.RunAsync(args);

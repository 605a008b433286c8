using PlatformOps.Integration.Tests.Aws;

[assembly: AssemblyFixture(typeof(MotoServer))]

using PlatformOps.Integration.Tests.Aws;

[assembly: AssemblyFixture(typeof(MotoServer))]
[assembly: AssemblyFixture(typeof(SandboxAws))]

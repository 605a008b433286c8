using PlatformOps.Integration.Tests.Kubernetes;

[assembly: AssemblyFixture(typeof(RealApiServer))]
[assembly: AssemblyFixture(typeof(SandboxCluster))]

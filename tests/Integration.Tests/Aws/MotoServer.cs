namespace PlatformOps.Integration.Tests.Aws;

/// <summary>Moto, an implementation of the AWS APIs that is not ours; or the server that <see cref="Variable"/> names.</summary>
public sealed class MotoServer : TestAws
{
    /// <summary>The address of another server to run these tests on, whose contents are nobody's.</summary>
    public const string Variable = "PLATFORMOPS_TEST_AWS_ENDPOINT_URL";

    private MotoProcess? process;

    public override bool RecordsGoBack => false;

    private static string? Other => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } address ? address : null;

    public override string? Missing => Other is null ? MotoProcess.Missing : null;

    public override async ValueTask InitializeAsync()
    {
        if (Missing is not null)
            return;
        process = Other is null ? await MotoProcess.StartAsync() : null;
        Address = process?.Address ?? new Uri(Other!);
    }

    public override async ValueTask DisposeAsync()
    {
        if (process is not null)
            await process.DisposeAsync();
        await base.DisposeAsync();
    }
}

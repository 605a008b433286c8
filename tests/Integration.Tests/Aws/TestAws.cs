using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;

namespace PlatformOps.Integration.Tests.Aws;

/// <summary>AWS APIs for tests. The same tests run on every one of them.</summary>
public abstract class TestAws : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("platformops-aws-").FullName;

    /// <summary>Where it answers.</summary>
    public Uri Address { get; protected set; } = null!;

    /// <summary>Why there is no such server here; null when there is one.</summary>
    public virtual string? Missing => null;

    /// <summary>Whether what takes time takes time. Moto's databases are available at once, are no replicas only in part after a promotion, and promote anything.</summary>
    public virtual bool DatabasesTakeTime => false;

    /// <summary>Whether a record can be created again as it was once. Moto takes its journal for what is there.</summary>
    public virtual bool RecordsGoBack => true;

    /// <summary>A key that may do everything.</summary>
    public virtual string AccessKeyId => "AKIAIOSFODNN7EXAMPLE";

    public abstract ValueTask InitializeAsync();

    public virtual ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Lets time pass until nothing is under way.</summary>
    public virtual void LetTimePass()
    {
    }

    /// <summary>The APIs of a region.</summary>
    public AwsConnection Connect(string region = "us-east-1", AwsKeys? keys = null)
    {
        // Skipped without it, except where ./test should have made it.
        if (Missing is { } missing && Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail(missing);
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        return new(new() { Region = region, Endpoint = Address, Keys = keys ?? new(AccessKeyId, "not-a-secret") });
    }

    /// <summary>The same, as a connections file says it.</summary>
    /// <param name="name">Of the credentials file.</param>
    public AwsSettings Settings(string name)
    {
        var file = Path.Combine(folder, $"{name}.credentials");
        File.WriteAllText(file, $"[default]\naws_access_key_id = {AccessKeyId}\naws_secret_access_key = not-a-secret\n");
        return new(Endpoint: Address.ToString(), CredentialsFile: file);
    }

    /// <summary>Waits until a database is available.</summary>
    public async Task<DatabaseInstance> AvailableAsync(DatabaseInstances databases, string identifier)
    {
        LetTimePass();
        var instance = await databases.FindAsync(identifier, TestContext.Current.CancellationToken);
        Assert.NotNull(instance);
        Assert.Equal("available", instance.Status);
        return instance;
    }
}

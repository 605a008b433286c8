using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json.Nodes;
using PlatformOps.Integration.Tests.Alerts;

namespace PlatformOps.Integration.Tests.Deployment;

/// <summary>The container image as <c>dotnet publish</c> makes and pushes it, to a registry of the test. Its base has the libraries of this machine that .NET needs, a place where a run of it finds this machine's .NET runtime, and nothing else: no shell, no tools.</summary>
public sealed class PublishedImage : IAsyncLifetime
{
    /// <summary>Where programs look for the .NET runtime, relative to the root.</summary>
    internal const string RuntimePlace = "usr/share/dotnet";

    private readonly string folder = Directory.CreateTempSubdirectory("platformops-image-").FullName;
    private ImageRegistry registry = null!;

    private static string Core { get; } = Path.GetDirectoryName(typeof(object).Assembly.Location)!;

    /// <summary>This machine's .NET runtime.</summary>
    internal static string Runtime { get; } = Path.GetFullPath(Path.Combine(Core, "..", "..", ".."));

    /// <summary>What a container runtime is told: user, entrypoint, environment, labels.</summary>
    internal JsonObject Configuration { get; private set; } = null!;

    /// <summary>What the image adds to its base.</summary>
    internal IReadOnlyList<TarEntry> Files { get; private set; } = [];

    /// <summary>All layers, one over the other.</summary>
    internal string Root => Path.Combine(folder, "root");

    public async ValueTask InitializeAsync()
    {
        registry = await ImageRegistry.StartAsync(Path.Combine(folder, "registry"));
        var baseLayer = Path.Combine(folder, "base.tar");
        await WriteBaseAsync(baseLayer);
        var layer = registry.Keep(baseLayer, "application/vnd.oci.image.layer.v1.tar");
        var configuration = registry.Keep(
            new JsonObject
            {
                ["architecture"] = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64",
                ["os"] = "linux",
                ["config"] = new JsonObject { ["Env"] = new JsonArray("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") },
                ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray((string)layer["digest"]!) },
            },
            "application/vnd.oci.image.config.v1+json");
        registry.Tag("runtime", "10.0", new() { ["schemaVersion"] = 2, ["mediaType"] = ImageRegistry.Manifest, ["config"] = configuration, ["layers"] = new JsonArray(layer) });
        await PublishAsync();

        var manifest = registry.Find("team/platformops", "0.1.0");
        Assert.True(manifest is not null, "Nothing was pushed as team/platformops:0.1.0.");
        Configuration = JsonNode.Parse(await File.ReadAllTextAsync(registry.Blob((string)manifest["config"]!["digest"]!)))!.AsObject();
        var layers = manifest["layers"]!.AsArray().Select(found => registry.Blob((string)found!["digest"]!)).ToList();
        Directory.CreateDirectory(Root);
        await TarFile.ExtractToDirectoryAsync(layers[0], Root, overwriteFiles: true);
        foreach (var added in layers.Skip(1))
        {
            Files = [.. Files, .. Entries(added)];
            await using var stream = new GZipStream(File.OpenRead(added), CompressionMode.Decompress);
            await TarFile.ExtractToDirectoryAsync(stream, Root, overwriteFiles: true);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await registry.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>As docs/deployment.md says, of what the test's own build has compiled.</summary>
    private async Task PublishAsync()
    {
        var configuration = AppContext.BaseDirectory.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries)[^2];
        var start = new ProcessStartInfo(
            "dotnet",
            [
                "publish", Path.Combine(Tools.Root, "src", "Starter"), "-c", configuration, "--no-build", "-nodeReuse:false", "-nologo", "-t:PublishContainer",
                $"-p:ContainerRegistry={registry.Host}", "-p:ContainerRepository=team/platformops", $"-p:ContainerBaseImage={registry.Host}/runtime:10.0", $"-p:PublishDir={Path.Combine(folder, "publish")}/",
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Where layers are made.
        start.Environment["TMPDIR"] = Directory.CreateDirectory(Path.Combine(folder, "tmp")).FullName;
        // It speaks HTTP without TLS.
        start.Environment["DOTNET_CONTAINER_INSECURE_REGISTRIES"] = registry.Host;
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await output + await error);
    }

    private static async Task WriteBaseAsync(string file)
    {
        await using var tar = new TarWriter(File.Create(file), TarEntryFormat.Pax);
        foreach (var directory in new[] { "tmp", "proc", "dev", RuntimePlace })
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, directory) { Mode = (UnixFileMode)0b111_101_101 });
        // What the runtime is linked with, and what it looks for when it makes a connection by TLS.
        var linked = (await Tools.RunAsync("ldd", "", Path.Combine(Core, "libcoreclr.so"))).Split([' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries).Where(word => word.StartsWith('/')).ToList();
        var libraries = Path.GetDirectoryName(linked.Single(library => library.Contains("/libc.so", StringComparison.Ordinal)))!;
        foreach (var library in linked.Concat(new[] { "libssl.so.3", "libcrypto.so.3" }.Select(name => Path.Combine(libraries, name)).Where(File.Exists)))
        {
            await using var data = File.OpenRead(library);
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, library[1..]) { DataStream = data, Mode = (UnixFileMode)0b111_101_101 });
        }
    }

    private static List<TarEntry> Entries(string layer)
    {
        var entries = new List<TarEntry>();
        using var reader = new TarReader(new GZipStream(File.OpenRead(layer), CompressionMode.Decompress));
        while (reader.GetNextEntry() is { } entry)
            entries.Add(entry);
        return entries;
    }
}

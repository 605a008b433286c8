using System.Diagnostics;
using System.Formats.Tar;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using PlatformOps.Integration.Tests.Alerts;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Integration.Tests.Deployment;

/// <summary>The container image: what is in it, and that it runs as Kubernetes runs it.</summary>
public sealed class ImageTests(PublishedImage image) : IClassFixture<PublishedImage>
{
    private JsonNode Runs => image.Configuration["config"]!;

    [Fact]
    public void Runs_as_a_numbered_user_that_is_not_root_and_takes_a_command()
    {
        Assert.Equal("1654:1654", (string?)Runs["User"]);
        Assert.Equal(["/app/platformops"], Runs["Entrypoint"]!.AsArray().Select(word => (string)word!));
        Assert.Null(Runs["Cmd"]);
        Assert.Equal("/app/", (string?)Runs["WorkingDir"]);
        var labels = Runs["Labels"]!.AsObject();
        Assert.Equal("PlatformOps", (string?)labels["org.opencontainers.image.title"]);
        Assert.Equal("0.1.0", (string?)labels["org.opencontainers.image.version"]);
        Assert.Equal("MIT", (string?)labels["org.opencontainers.image.licenses"]);
        Assert.NotNull(labels["org.opencontainers.image.description"]);
    }

    [Fact]
    public void Holds_the_program_for_one_system_the_whole_catalog_and_the_specification_and_nothing_else()
    {
        var files = image.Files.Where(entry => entry.EntryType is not TarEntryType.Directory).Select(entry => entry.Name.TrimStart('.', '/')).ToList();
        Assert.Empty(Expected("k8s/components").Concat(Expected("examples/reference")).Except(files));
        Assert.Equal(["runtimes"], files.Where(name => name.Split('/').Length > 2).Select(name => name.Split('/')[1]).Distinct().Except(["k8s", "examples"]));
        Assert.Single(files.Where(name => name.StartsWith("app/runtimes/", StringComparison.Ordinal)).Select(name => name.Split('/')[2]).Distinct());
        string[] program = [".dll", ".pdb", ".so", ".json", ""];
        Assert.All(files.Where(name => !name.StartsWith("app/k8s/", StringComparison.Ordinal) && !name.StartsWith("app/examples/", StringComparison.Ordinal)), name => Assert.Contains(Path.GetExtension(name), program));
        // A key or a password in it would be everybody's who can pull it.
        Assert.All(files.Where(name => name.EndsWith(".json", StringComparison.Ordinal) || name.EndsWith(".yaml", StringComparison.Ordinal)), name =>
            Assert.DoesNotContain("PRIVATE KEY-----", File.ReadAllText(Path.Combine(image.Root, name)), StringComparison.Ordinal));
        Assert.DoesNotContain(Runs["Env"]!.AsArray(), variable => new[] { "KEY", "TOKEN", "PASSWORD", "SECRET" }.Any(word => ((string)variable!).Contains(word, StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public void Nothing_in_it_can_be_changed_by_the_user_that_it_runs_as() =>
        Assert.All(image.Files, entry =>
        {
            Assert.Equal((0, 0), (entry.Uid, entry.Gid));
            Assert.True((entry.Mode & (UnixFileMode.OtherWrite | UnixFileMode.SetUser | UnixFileMode.SetGroup)) == 0, $"{entry.Name} gives rights away.");
            Assert.True((entry.Mode & UnixFileMode.OtherRead) != 0, $"{entry.Name} cannot be read by the user.");
        });

    [Fact]
    public async Task Is_the_one_that_every_pod_runs_as_the_same_user()
    {
        foreach (var overlay in Kustomization.Overlays.Where(overlay => overlay.Contains("platformops/overlays", StringComparison.Ordinal)))
        {
            var pods = (await Kustomization.RenderAsync(overlay)).Select(manifest => manifest["spec"]?["template"]?["spec"]).OfType<JsonObject>().ToList();
            Assert.NotEmpty(pods);
            Assert.All(pods, pod =>
            {
                Assert.Equal((string?)Runs["User"], $"{pod["securityContext"]!["runAsUser"]}:{pod["securityContext"]!["runAsGroup"]}");
                Assert.All(pod["containers"]!.AsArray(), container => Assert.Equal(("registry.example.com/platformops:0.1.0", true), ((string?)container!["image"], container["command"] is null)));
            });
        }
    }

    [Fact]
    public async Task Carries_its_commands_out_while_only_tmp_can_be_written()
    {
        await RequireContainersAsync();
        using var cli = new Cli();
        using var version = Start("version", "--output", "json");
        using var help = Start("worker", "--help");
        using var valid = Start("validate", "--output", "json");
        Assert.StartsWith("0.1.0", (await version.EndAsync()).Json.GetProperty("version").GetString(), StringComparison.Ordinal);
        Assert.Contains("--domain", (await help.EndAsync()).Output, StringComparison.Ordinal);
        var checkedAll = await valid.EndAsync();
        Assert.True(checkedAll.ExitCode == 0, checkedAll.Output + checkedAll.Error);

        using var server = cli.Start("server", "--port", "0", "--output", "json");
        await server.WaitForAsync("\"address\":");
        var address = JsonDocument.Parse(server.Written.Split('\n')[0]).RootElement.GetProperty("address").GetString()!;
        var health = $"127.0.0.1:{LocalPorts.Take()}";
        using var worker = StartWith([$"TEMPORAL_ADDRESS={address}"], "worker", "--domain=Runbooks", "--grace=30", $"--health={health}");
        using var http = new HttpClient();
        await Wait.UntilAsync(async () => await IsReadyAsync(http, health) || worker.HasEnded, () => worker.Written, TimeSpan.FromMinutes(3));
        Assert.False(worker.HasEnded, worker.Written);
    }

    private static async Task<bool> IsReadyAsync(HttpClient http, string health)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri($"http://{health}/readyz"), TestContext.Current.CancellationToken);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task RequireContainersAsync()
    {
        using var process = Process.Start(new ProcessStartInfo("unshare", ["--mount", "--pid", "--fork", "true"]) { RedirectStandardError = true })!;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipWhen(process.ExitCode != 0, "A root file system that is only read needs the right to make a mount namespace: run the tests as root, where unshare works.");
    }

    private RunningCli Start(params string[] arguments) => StartWith([], arguments);

    /// <summary>What a container runtime does: namespaces, the layers as a root that is only read, /tmp in memory, the image's user, entrypoint and environment, no more rights than those of the user.</summary>
    private RunningCli StartWith(IEnumerable<string> environment, params string[] arguments)
    {
        const string Confine = """
            mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; mount -t tmpfs tmpfs "$0/tmp"; mount -t proc proc "$0/proc"; mount --bind /dev "$0/dev"
            mount --bind "$1" "$0/$2"; mount -o remount,bind,ro "$0/$2"
            user=$3; shift 3
            exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$0" "$@"
            """;
        var start = new ProcessStartInfo(
            "unshare",
            [
                "--mount", "--pid", "--fork", "--kill-child", "bash", "-euc", Confine, image.Root, PublishedImage.Runtime, PublishedImage.RuntimePlace, (string)Runs["User"]!,
                .. Runs["Entrypoint"]!.AsArray().Select(word => (string)word!), .. arguments,
            ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var variable in new[] { "HOME=/tmp", "NO_COLOR=1" }.Concat(environment).Concat(Runs["Env"]!.AsArray().Select(variable => (string)variable!)))
            start.Environment[variable[..variable.IndexOf('=', StringComparison.Ordinal)]] = variable[(variable.IndexOf('=', StringComparison.Ordinal) + 1)..];
        return new(start);
    }

    private static IEnumerable<string> Expected(string folder) => Directory.EnumerateFiles(Path.Combine(Tools.Root, folder), "*", SearchOption.AllDirectories)
        .Select(file => $"app/{Path.GetRelativePath(Tools.Root, file)}");
}

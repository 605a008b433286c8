using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Tests.Catalog;

namespace PlatformOps.Platform.Tests.Specification;

/// <summary>Mistakes in the reference platform: each is reported with its file, line and path, and with what would be right.</summary>
public class ValidationTests
{
    private const string Production = "environments/production.yaml";
    private const string Staging = "environments/staging.yaml";
    private const string Development = "environments/development.yaml";
    private const string Platform = "platform.yaml";

    /// <summary>What has a meaning in YAML.</summary>
    private const string Marks = "{}[]:,'\"#&*!|>-?%@ \t\n0a";

    /// <summary>The file, what to replace by what, and the only problem that it makes, without the line.</summary>
    public static TheoryData<string, string, string, string> Mistakes => new()
    {
        { Production, "database: highly-available", "components: {temporal-history: {replicas: 60}}\ndatabase: highly-available", "environments.production.components.temporal-history.replicas: 60 is outside 1..50" },
        { Production, "maxParallel: 4", "maxParallel: 33", "environments.production.guardRails.maxParallel: 33 is outside 1..32" },
        { Production, "approvals: 1", "approvals: many", "environments.production.guardRails.approvals: 'many' is not a whole number; 0..5 is expected" },
        { Production, "approvals: 1", "approvals: \"1\"", "environments.production.guardRails.approvals: '1' is not a whole number because of its quotes; 0..5 is expected" },
        { Production, "mayDestroy: false", "mayDestroy: no", "environments.production.guardRails.mayDestroy: 'no' is not true or false" },
        { Production, "  mayDestroy: false\n", "", "environments.production.guardRails.mayDestroy: is missing; true or false is expected: Whether a plan may remove objects." },
        { Production, "approvalTimeout: 24h", "approvalTimeout: 24", "environments.production.guardRails.approvalTimeout: '24' is not a duration; numbers with their units, largest first, are expected, for example 90s, 15m, 1h30m or 30d" },
        { Production, "approvalTimeout: 24h", "approvalTimout: 24h", "environments.production.guardRails.approvalTimout: is not a known key (did you mean approvalTimeout?). Known: approvals, maxParallel, mayDestroy, approvalTimeout" },
        { Production, "database: highly-available", "database: highly-availabel", "environments.production.database: 'highly-availabel' is not possible; one of single, replica, highly-available is expected (did you mean highly-available?)" },
        { Production, "us-west-2: {role: secondary}", "us-west-2: {role: primary}", "environments.production.regions: us-east-1 and us-west-2 are primary; exactly one may be" },
        { Production, "us-west-2: {role: secondary}", "us-west-2: {role: secondary, etcd: {endpoint: \"http://10.0.1.10:2379\", secret: infrastructure/etcd-client}}", "environments.production.regions.us-west-2.etcd.endpoint: 'http://10.0.1.10:2379' is not https://host:port without a path, with a port of 1 to 65535" },
        { Production, "us-west-2: {role: secondary}", "us-west-2: {role: secondary, etcd: {endpoint: \"https://10.0.1.10:2379/health\", secret: infrastructure/etcd-client}}", "environments.production.regions.us-west-2.etcd.endpoint: 'https://10.0.1.10:2379/health' is not https://host:port without a path, with a port of 1 to 65535" },
        { Production, "us-west-2: {role: secondary}", "us-west-2: {role: secondary, etcd: {endpoint: \"https://10.0.1.10:65536\", secret: infrastructure/etcd-client}}", "environments.production.regions.us-west-2.etcd.endpoint: 'https://10.0.1.10:65536' is not https://host:port without a path, with a port of 1 to 65535" },
        { Production, "us-west-2: {role: secondary}", "us-west-2: {role: secondary, etcd: {endpoint: \"https://10.0.1.10:2379\"}}", "environments.production.regions.us-west-2.etcd.secret: is missing; text is expected: The Secret of that cluster with ca.crt, tls.crt and tls.key of a client." },
        { Production, "us-east-1: {role: primary}", "us-east-1: {role: secondary}", "environments.production.regions: no region has the role primary; exactly one must" },
        { Production, "clusterSize: 12", "clusterSize: 13", "environments.production.clusterSize: 13 is not the sum of the untainted node classes, which is 12" },
        { Production, "name: production", "name: prod", "environments.production.name: 'prod' is not the file's name production" },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {kafka: {}}", "environments.production.components.kafka: is not a known key. Known: " },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {postgresql: {enabled: false}}", "environments.production.components.temporal-schema: needs postgresql, which is disabled here; enable it, or disable temporal-schema" },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {temporal-web: {regions: [eu-west-1]}}", "environments.production.components.temporal-web.regions: eu-west-1 is not a region of this environment (us-east-1, us-west-2)" },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {temporal-frontend: {regions: [us-east-1]}}", "environments.production.components.temporal-web.regions: needs temporal-frontend in us-west-2, where it is not deployed" },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {temporal-frontend: {replicas: 25}}", "environments.production.components.temporal-frontend.replicas: 25 is outside 1..20" },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {traefik: {enabled: true}}", "environments.production.components.traefik: takes the place of ingress-nginx, which is enabled too; disable one of the two" },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {dns-route53: {enabled: true}}", "environments.production.components.dns-route53: takes the place of cloudflare, which is enabled too; disable one of the two" },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {managed-database: {enabled: true, certificateAuthority: PEM}}", "environments.production.components.managed-database: takes the place of postgresql, which is enabled too; disable one of the two" },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {postgresql: {enabled: false}, managed-database: {enabled: true, certificateAuthority: PEM, instanceClass: db.t4g.small}}", "environments.production.components.managed-database.maxConnections: 1000 are declared, and db.t4g.small accepts at most 225; take a larger class, or declare what it accepts" },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {postgresql: {enabled: false}, managed-database: {enabled: true, certificateAuthority: PEM}}\nscaling: {managed-database: {classes: [db.r6g.xlarge, db.r6g.2xlarge]}}", "environments.production.components.managed-database.instanceClass: db.r6g.large is none of its scaling classes (db.r6g.xlarge, db.r6g.2xlarge)" },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {postgresql: {enabled: false}, managed-database: {enabled: true, certificateAuthority: PEM}}\nscaling: {managed-database: {classes: [db.r6g.large, db.x2g.large]}}", "environments.production.scaling.managed-database.classes: how many connections db.x2g.large accepts is not known here; classes of the families t, m and r are" },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {postgresql: {enabled: false}, managed-database: {enabled: true, certificateAuthority: PEM}}\nscaling: {managed-database: {classes: [large]}}", "environments.production.scaling.managed-database.classes[0]: 'large' is not a class of RDS such as db.r6g.large" },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {postgresql: {enabled: false}, managed-database: {enabled: true, certificateAuthority: PEM}}\nscaling: {managed-database: {classes: [db.t3.micro, db.r6g.large]}}", "environments.production.scaling.managed-database.classes: with db.t3.micro in us-east-1 the pools need " },
        { Production, "kind: Environment", "kind: Environment\ncomponents: {postgresql: {enabled: false}, managed-database: {enabled: true, certificateAuthority: PEM}}\nscaling: {managed-database: {minimum: 100}}", "environments.production.scaling.managed-database.maximum: is missing; minimum and maximum say the range of replicas, or, for a managed database, classes says which ones it may have" },
        { Development, "elasticsearch: {minimum: 1, maximum: 3}", "elasticsearch: {classes: [db.r6g.large]}", "environments.development.scaling.elasticsearch.classes: elasticsearch is not a component with instanceClass here" },
        { Development, "elasticsearch: {minimum: 1, maximum: 3}", "elasticsearch: {minimum: 4, maximum: 3}", "environments.development.scaling.elasticsearch.minimum: 4 is above the maximum 3" },
        { Development, "elasticsearch: {minimum: 1, maximum: 3}", "elasticsearch: {minimum: 2, maximum: 3}", "environments.development.components.elasticsearch.replicas: 1 is outside its scaling range 2..3" },
        { Development, "elasticsearch: {minimum: 1, maximum: 3}", "elasticsearch: {minimum: 1, maximum: 30}", "environments.development.scaling.elasticsearch: 1..30 is outside the catalog's 1..20" },
        { Development, "database: off\n", "database: automatic\n", "environments.development.failover: a failover needs a second region; add one, or set database and fullStack to off" },
        { Platform, "retention: 7d", "retention: 7days", "backups.elasticsearch.retention: '7days' is not a duration; numbers with their units, largest first, are expected, for example 90s, 15m, 1h30m or 30d" },
        { Platform, "frequency: continuous", "frequency: 30s", "backups.postgresql.frequency: 30s is too short; 1m or more is expected" },
        { Platform, "historyShards: 512", "historyShards: 0", "components.temporal-history.historyShards: 0 is outside 1..16384" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {drift: {every: 30s}}", "environments.staging.schedules.drift.every: 30s is too short; 1m or more is expected" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {drift: {cron: 0 3 * * *}}", "environments.staging.schedules.drift.cron: stands beside every; one of the two is expected" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {look: {runbook: DetectDrift}}", "environments.staging.schedules.look: says nowhere when; one of every and cron is expected" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {look: {runbook: DetectDrift, cron: 0 25 * * *}}", "environments.staging.schedules.look.cron: '25' is not a hour; 0..23 is expected, with * , - and /" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {look: {runbook: DetectDrifts, every: 1h}}", "environments.staging.schedules.look.runbook: 'DetectDrifts' is not possible; one of DetectDrift, RotateSecrets, RotateCertificates, FailoverReadiness, WarmStandby, FailoverDrill, BackUpDatabase, BackUpSearch, BackUpClusterState, BackUpVault, VerifyBackup, ApplyRetention is expected (did you mean DetectDrift?)" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {drift: {overlap: allow-all}}", "environments.staging.schedules.drift.overlap: 'allow-all' is not possible; one of skip, buffer-one is expected" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {drift: {timeZone: Europe/Berlin}}", "environments.staging.schedules.drift.timeZone: has a meaning with cron only; every counts in UTC" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {drift: {jitter: 2h}}", "environments.staging.schedules.drift.jitter: 2h is longer than the time between two runs, 1h" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {drift: {catchUpWindow: 1s}}", "environments.staging.schedules.drift.catchUpWindow: 1s is too short; 10s or more is expected" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {drift: {input: {mods: report}}}", "environments.staging.schedules.drift.input.mods: is not a known key (did you mean mode?). Known: components, mode, decideWithin" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {drift: {input: {mode: adopt}}}", "environments.staging.schedules.drift.input.mode: 'adopt' is not possible; one of report, revert is expected" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {keep: {runbook: BackUpVault, every: 1h}}", "environments.staging.schedules.keep.input: is missing; {store: NAME} is expected, one of cluster-state, vault, postgresql, search" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {keep: {runbook: BackUpSearch, every: 1h, input: {within: 1h}}}", "environments.staging.schedules.keep.input.store: is missing; text is expected: The store's name in the catalog." },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {keep: {runbook: BackUpSearch, every: 1h, input: {store: shop}}}", "environments.staging.schedules.keep.input.store: shop is no store of this environment (cluster-state, vault, postgresql, search)" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {keep: {runbook: BackUpVault, every: 1h, input: {store: search}}}", "environments.staging.schedules.keep.runbook: BackUpVault does not back up search; BackUpSearch does" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {keep: {runbook: BackUpSearch, every: 2h, input: {store: search}}}", "environments.staging.schedules.keep.every: 2h is less often than the catalog wants sets of search, every 30m: what it promises could not be kept" },
        { Staging, "kind: Environment", "kind: Environment\nschedules: {keep: {runbook: VerifyBackup, every: 2h, input: {store: search, region: mars}}}", "environments.staging.schedules.keep.input.region: mars is not a region of this environment (us-east-1, us-west-2)" },
        { Development, "failover-drill: {enabled: false}", "failover-drill: {enabled: true}", "environments.development.schedules.failover-drill: FailoverDrill needs a failover, which is off here; switch the schedule off with enabled: false" },
        { Platform, "kind: Platform", "kind: Plattform", "kind: 'Plattform' is not possible; one of Platform is expected (did you mean Platform?)" },
        { Platform, "name: reference", "name: Reference", "name: 'Reference' is not a name of lower-case letters, digits and dashes, at most 63 characters" },
        { Platform, "name: reference", "name: reference\nname: other", ": the key name is given twice, first in line 5; keep one of them" },
        { Platform, "name: reference", "name: [reference", ": this is not YAML: a bracket or a quote that is opened here or above is not closed" },
        { Platform, "  temporal-product:\n", "\ttemporal-product:\n", ": the line is indented with a tab; YAML wants spaces" },
        { Platform, "name: reference", "name: &n reference", ": the anchor &n is not supported; write the value out where it is needed" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Names_the_place_and_what_would_be_right(string file, string right, string wrong, string problem)
    {
        var files = Files();
        Assert.Contains(right, files[file], StringComparison.Ordinal);
        files[file] = files[file].Replace(right, wrong, StringComparison.Ordinal);

        var found = Read(files);

        var reported = found.Where(item => $"{item.Path}: {item.Message}".StartsWith(problem, StringComparison.Ordinal)).ToList();
        Assert.True(reported.Count > 0, string.Join('\n', found));
        // What another component lacks is said where that component is listed.
        Assert.All(reported, item => Assert.Equal(item.Message.StartsWith("needs ", StringComparison.Ordinal) && item.File != file ? Platform : file, item.File));
        Assert.All(reported, item => Assert.InRange(item.Line, 1, files[item.File!].Split('\n').Length));
    }

    [Theory]
    [InlineData("https://10.0.1.10:2379")]
    [InlineData("https://10.0.1.10:2379/")]
    [InlineData("https://etcd-0.etcd.example.com:65535/")]
    [InlineData("https://[fd00::1]:2379/")]
    public void An_address_of_etcd_means_the_same_with_and_without_a_slash_at_its_end(string endpoint)
    {
        var files = Files();
        files[Production] = files[Production].Replace("us-west-2: {role: secondary}", $"us-west-2: {{role: secondary, etcd: {{endpoint: \"{endpoint}\", secret: infrastructure/etcd-client}}}}", StringComparison.Ordinal);

        var result = SpecificationReader.Read(files, CommittedCatalog.Catalog);

        Assert.Empty(result.Problems);
        Assert.Equal(new(endpoint.TrimEnd('/')), result.Specification!.Environments.Single(environment => environment.Name == "production").Regions.Single(region => region.Etcd is not null).Etcd!.Endpoint);
    }

    [Fact]
    public void Points_to_the_line_of_the_value_in_the_file_that_says_it()
    {
        var files = Files();
        files[Production] = files[Production].Replace("  maxParallel: 4\n", "  maxParallel: 40\n", StringComparison.Ordinal);
        var line = Array.IndexOf(files[Production].Split('\n'), "  maxParallel: 40") + 1;

        var problem = Assert.Single(Read(files));

        Assert.Equal($"environments/production.yaml:{line}: environments.production.guardRails.maxParallel: 40 is outside 1..32", problem.ToString());
    }

    [Fact]
    public void Reports_every_problem_of_every_file_at_once()
    {
        var files = Files();
        files[Platform] = files[Platform].Replace("historyShards: 512", "historyShards: many", StringComparison.Ordinal).Replace("rto: 15m", "rto: 15", StringComparison.Ordinal);
        files[Production] = files[Production].Replace("maxParallel: 4", "maxParalel: 4", StringComparison.Ordinal).Replace("security: zero-trust", "security: paranoid", StringComparison.Ordinal);
        files[Development] = files[Development].Replace("clusterSize: 3", "clusterSize: three", StringComparison.Ordinal);

        var paths = Read(files).Select(problem => problem.Path).ToList();

        Assert.Equal(
            [
                "backups.postgresql.rto", "components.temporal-history.historyShards", "environments.development.clusterSize",
                "environments.production.guardRails.maxParalel", "environments.production.guardRails.maxParallel", "environments.production.security",
            ],
            paths.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Says_that_the_number_of_history_shards_can_be_set_once_and_never_be_changed() =>
        Assert.Contains(
            "Can be set once and never changed",
            SpecificationSchema.Environment(CommittedCatalog.Catalog).ToJsonString(), StringComparison.Ordinal);

    [Fact]
    public void Says_which_file_is_missing()
    {
        Assert.Equal("there is no platform.yaml in the specification's folder", Assert.Single(Read([])).Message);
        var alone = new Dictionary<string, string> { [Platform] = Files()[Platform] };
        Assert.Contains(Read(alone), problem => problem.Message == "there is no environment; a file such as environments/development.yaml is expected");
    }

    [Fact]
    public void Answers_any_text_with_problems_and_never_with_an_exception()
    {
        var random = new Random(4711);
        foreach (var file in new[] { Platform, Production })
        {
            for (var round = 0; round < 150; round++)
            {
                var files = Files();
                var text = new System.Text.StringBuilder(files[file]);
                for (var change = 0; change < 1 + (round % 5); change++)
                {
                    var at = random.Next(text.Length);
                    if (random.Next(2) == 0)
                        text.Remove(at, Math.Min(random.Next(1, 12), text.Length - at));
                    else
                        text.Insert(at, Marks[random.Next(Marks.Length)]);
                }

                files[file] = text.ToString();
                Assert.All(Read(files), problem => Assert.NotEmpty(problem.Message));
            }
        }
    }

    [Fact]
    public void Says_of_an_empty_file_that_it_is_empty()
    {
        var files = Files();
        files[Production] = "# nothing yet\n";

        var problem = Assert.Single(Read(files));

        Assert.Equal(("environments/production.yaml", 1), (problem.File, problem.Line));
        Assert.StartsWith("the file is empty", problem.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Files() => Repository.Texts("examples/reference");

    private static IReadOnlyList<Problem> Read(Dictionary<string, string> files)
    {
        var result = SpecificationReader.Read(files, CommittedCatalog.Catalog);
        Assert.Equal(result.Specification is null, result.Problems.Count > 0);
        return result.Problems;
    }
}

using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Schedules;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Specification;

/// <summary>Rules that look at several values of an environment. Each names the place to change and what would be right.</summary>
internal static class EnvironmentChecks
{
    private static readonly string[] Stores = ["postgresql", "elasticsearch", "kubernetes-state", "vault"];

    public static void Check(EnvironmentSpecification environment, JsonObject tree, ComponentCatalog catalog, string path, ShapeReader reader)
    {
        CheckRegions(environment, path, reader);
        CheckNodes(environment, (int)(long)tree["clusterSize"]!, path, reader);
        CheckComponents(environment, catalog, path, reader);
        CheckScalingKeys(tree, path, reader);
        CheckScaling(environment, catalog, path, reader);
        CheckClasses(environment, catalog, path, reader);
        CheckConnections(environment, catalog, path, reader);
        CheckBackups(environment, path, reader);
        CheckFailover(environment, path, reader);
        CheckSchedules(environment, catalog, path, reader);
    }

    private static void CheckRegions(EnvironmentSpecification environment, string path, ShapeReader reader)
    {
        var primaries = environment.Regions.Where(region => region.Role == RegionRole.Primary).Select(region => region.Name).ToList();
        if (primaries.Count != 1)
            reader.Report($"{path}.regions", primaries.Count == 0 ? "no region has the role primary; exactly one must" : $"{string.Join(" and ", primaries)} are primary; exactly one may be");
    }

    private static void CheckNodes(EnvironmentSpecification environment, int size, string path, ShapeReader reader)
    {
        // The control plane is counted apart, as the reference architecture does.
        var workers = environment.NodeClasses.Where(nodes => !nodes.Tainted).Sum(nodes => nodes.Count);
        if (workers != size)
            reader.Report($"{path}.clusterSize", $"{size} is not the sum of the untainted node classes, which is {workers}");
    }

    private static void CheckComponents(EnvironmentSpecification environment, ComponentCatalog catalog, string path, ShapeReader reader)
    {
        var enabled = environment.Components.Where(component => component.Enabled).ToDictionary(component => component.Name);
        var namespaces = environment.Namespaces.Select(space => space.Name).ToHashSet();
        foreach (var component in enabled.Values)
        {
            var at = $"{path}.components.{component.Name}";
            foreach (var unknown in component.Regions.Where(name => environment.Regions.All(region => region.Name != name)))
                reader.Report($"{at}.regions", $"{unknown} is not a region of this environment ({string.Join(", ", environment.Regions.Select(region => region.Name))})");
            var definition = catalog.Find(component.Name)!;
            if (!namespaces.Contains(definition.Namespace))
                reader.Report(at, $"lives in the namespace {definition.Namespace}, which this environment does not have; add it under namespaces");
            foreach (var needed in definition.Needs(environment))
                CheckNeed(component, needed, component.Regions);
            if (RegionsOf(component).Any(region => region != environment.PrimaryRegion))
            {
                foreach (var needed in definition.DependsOnPrimary)
                    CheckNeed(component, needed, [environment.PrimaryRegion]);
            }

            foreach (var other in definition.Excludes.Where(enabled.ContainsKey))
                reader.Report(at, $"takes the place of {other}, which is enabled too; disable one of the two");

            foreach (var (parameter, owner) in definition.Imports.Where(import => definition.OwnerOf(import.Key, environment) is null))
                reader.Report(at, $"takes {parameter} from {owner.Replace("|", " or ", StringComparison.Ordinal)}, which is not listed here; list it, or disable {component.Name}");
        }

        void CheckNeed(ComponentSpecification component, string needed, IReadOnlyList<string> regions)
        {
            var at = $"{path}.components.{component.Name}";
            if (!enabled.TryGetValue(needed, out var dependency))
                reader.Report(at, $"needs {needed}, which is {(environment.Components.Any(known => known.Name == needed) ? "disabled" : "not listed")} here; enable it, or disable {component.Name}");
            else if ((regions.Count > 0 ? regions : RegionsOf(component)).Except(RegionsOf(dependency)).FirstOrDefault() is { } region)
                reader.Report($"{at}.regions", $"needs {needed} in {region}, where it is not deployed");
        }

        IEnumerable<string> RegionsOf(ComponentSpecification component) =>
            component.Regions.Count > 0 ? component.Regions : environment.Regions.Select(region => region.Name);
    }

    /// <summary>What is needed depends on what is scaled.</summary>
    private static void CheckScalingKeys(JsonObject tree, string path, ShapeReader reader)
    {
        foreach (var (name, keys) in (JsonObject)tree["scaling"]!)
        {
            var (minimum, maximum) = (keys!["minimum"] is not null, keys["maximum"] is not null);
            foreach (var missing in new[] { minimum ? null : "minimum", maximum ? null : "maximum" }.OfType<string>().Where(_ => minimum || maximum || keys["classes"] is null))
                reader.Report($"{path}.scaling.{name}.{missing}", "is missing; minimum and maximum say the range of replicas, or, for a managed database, classes says which ones it may have");
        }
    }

    /// <summary>Whatever class scaling chooses, the pools that are declared have to fit.</summary>
    private static void CheckClasses(EnvironmentSpecification environment, ComponentCatalog catalog, string path, ShapeReader reader)
    {
        foreach (var (name, classes) in environment.Classes.Select(allowed => (allowed.Component, allowed.Names)))
        {
            var (at, listed) = ($"{path}.scaling.{name}.classes", environment.Components.FirstOrDefault(candidate => candidate.Name == name));
            if (listed is null || catalog.Find(name)?.Parameters.Any(parameter => parameter.Name == "instanceClass") is not true)
            {
                reader.Report(at, $"{name} is not a component with instanceClass here");
                continue;
            }

            if (classes.FirstOrDefault(known => DatabaseClasses.Connections(known) is null) is { } unknown)
            {
                reader.Report(at, $"how many connections {unknown} accepts is not known here; classes of the families t, m and r are");
                continue;
            }

            if (!listed.Enabled)
                continue;
            var declared = (string?)ManifestRenderer.Parameters(environment, catalog.Find(name)!, environment.PrimaryRegion)["instanceClass"];
            if (!classes.Contains(declared))
                reader.Report($"{path}.components.{name}.instanceClass", $"{declared} is none of its scaling classes ({string.Join(", ", classes)})");
            var smallest = classes.MinBy(DatabaseClasses.Connections)!;
            foreach (var region in environment.Regions)
            {
                if (DeclaredScaling.Budgets(environment, catalog, region.Name).GetValueOrDefault(name) is { } budget && ScalingGuards.Exceeded(budget with { Limit = DatabaseClasses.Connections(smallest) }) is { } exceeded)
                    reader.Report(at, $"with {smallest} in {region.Name} {exceeded}; leave that class out, or have smaller pools");
            }
        }
    }

    private static void CheckScaling(EnvironmentSpecification environment, ComponentCatalog catalog, string path, ShapeReader reader)
    {
        foreach (var range in environment.Scaling)
        {
            var at = $"{path}.scaling.{range.Component}";
            var component = environment.Components.FirstOrDefault(candidate => candidate.Name == range.Component);
            var name = catalog.Find(range.Component)?.Scaling?.Parameter ?? "replicas";
            var scaled = catalog.Find(range.Component)?.Parameters.FirstOrDefault(parameter => parameter.Name == name);
            if (component is null || scaled is null)
                reader.Report(at, $"{range.Component} is not a component with {name} here");
            else if (range.Minimum > range.Maximum)
                reader.Report($"{at}.minimum", $"{range.Minimum} is above the maximum {range.Maximum}");
            else if (range.Minimum < scaled.Minimum || range.Maximum > scaled.Maximum)
                reader.Report(at, $"{range.Minimum}..{range.Maximum} is outside the catalog's {scaled.Minimum}..{scaled.Maximum}");
            else if ((long?)component.Parameters[name] is { } given && (given < range.Minimum || given > range.Maximum))
                reader.Report($"{path}.components.{range.Component}.{name}", $"{given} is outside its scaling range {range.Minimum}..{range.Maximum}");
            else if (component.Enabled && DelegatedScaling.Trouble(environment, catalog.Find(range.Component)!, GraceOf(environment, catalog.Find(range.Component)!)) is { } trouble)
                reader.Report($"{at}.by", trouble);
        }
    }

    /// <summary>How long the pods of the workload that is scaled have to stop; null: they do not say.</summary>
    private static TimeSpan? GraceOf(EnvironmentSpecification environment, ComponentDefinition component)
    {
        if (DelegatedScaling.ByOf(environment, component.Name) == ScaledBy.Autoscale || component.Scaling is not { Workload: { } workload, Tasks: not null })
            return null;
        var manifest = ManifestRenderer.Workload(environment, component, environment.PrimaryRegion, workload);
        return manifest?["spec"]?["template"]?["spec"]?["terminationGracePeriodSeconds"] is JsonValue value && value.TryGetValue<long>(out var seconds) ? TimeSpan.FromSeconds(seconds) : null;
    }

    /// <summary>The pools of everybody must fit into the database together: each alone may look small. A managed database accepts what its class has memory for, whatever is declared.</summary>
    private static void CheckConnections(EnvironmentSpecification environment, ComponentCatalog catalog, string path, ShapeReader reader)
    {
        foreach (var component in environment.Components.Where(listed => listed.Enabled).Select(listed => catalog.Find(listed.Name)).OfType<ComponentDefinition>().Where(known => known.Scaling?.Parameter == "maxConnections"))
        {
            var values = ManifestRenderer.Parameters(environment, component, environment.PrimaryRegion);
            if (values.GetValueOrDefault("instanceClass") is { } instanceClass && DatabaseClasses.Connections((string)instanceClass!) is { } most && (long?)values["maxConnections"] > most)
                reader.Report($"{path}.components.{component.Name}.maxConnections", $"{(long?)values["maxConnections"]} are declared, and {instanceClass} accepts at most {most}; take a larger class, or declare what it accepts");
        }

        foreach (var region in environment.Regions)
        {
            foreach (var (database, budget) in DeclaredScaling.Budgets(environment, catalog, region.Name))
            {
                if (ScalingGuards.Exceeded(budget) is { } exceeded)
                    reader.Report($"{path}.components.{database}", $"in {region.Name} {exceeded}; let it accept more, or have fewer replicas or smaller pools");
            }
        }
    }

    private static void CheckBackups(EnvironmentSpecification environment, string path, ShapeReader reader)
    {
        foreach (var backup in environment.Backups)
        {
            var at = $"{path}.backups.{backup.Store}";
            if (!Stores.Contains(backup.Store))
                reader.Report(at, $"is not a store that can be backed up; one of {string.Join(", ", Stores)} is expected");
            if (backup.Rpo < backup.Frequency)
                reader.Report($"{at}.rpo", $"{Units.Format(backup.Rpo)} cannot be kept with a backup every {Units.Format(backup.Frequency)}; back up at least that often");
            if (backup.Retention < backup.Frequency)
                reader.Report($"{at}.retention", $"{Units.Format(backup.Retention)} is shorter than the time between backups, {Units.Format(backup.Frequency)}");
        }
    }

    private static void CheckFailover(EnvironmentSpecification environment, string path, ShapeReader reader)
    {
        if (environment.Regions.Count < 2 && (environment.Failover.Database, environment.Failover.FullStack) != (FailoverMode.Off, FailoverMode.Off))
            reader.Report($"{path}.failover", "a failover needs a second region; add one, or set database and fullStack to off");
    }

    private static void CheckSchedules(EnvironmentSpecification environment, ComponentCatalog catalog, string path, ShapeReader reader)
    {
        foreach (var schedule in environment.Schedules)
        {
            var at = $"{path}.schedules.{schedule.Name}";
            if (schedule is { Every: null, Cron: null })
                reader.Report(at, "says nowhere when; one of every and cron is expected");
            if (schedule is { Every: not null, Cron: not null })
                reader.Report($"{at}.cron", "stands beside every; one of the two is expected");
            if (schedule is { Every: not null, TimeZone: not "UTC" })
                reader.Report($"{at}.timeZone", "has a meaning with cron only; every counts in UTC");
            if (schedule.Every is { } every && schedule.Jitter > every)
                reader.Report($"{at}.jitter", $"{Units.Format(schedule.Jitter)} is longer than the time between two runs, {Units.Format(every)}");
            if (schedule.Runbook.NeedsFailover && (environment.Failover.Database, environment.Failover.FullStack) == (FailoverMode.Off, FailoverMode.Off))
                reader.Report(at, $"{schedule.Runbook.Name} needs a failover, which is off here; switch the schedule off with enabled: false");
            if (reader.Sources.TryGetValue($"{at}.input", out var input))
                reader.Read(input, schedule.Runbook.Input, $"{at}.input");
            if (schedule.Runbook.NeedsStore)
                CheckStore(schedule, environment, catalog, at, reader);
        }
    }

    /// <summary>A store is one that the environment has, it is backed up by what is for it, and as often as the catalog promises.</summary>
    private static void CheckStore(ScheduleSpecification schedule, EnvironmentSpecification environment, ComponentCatalog catalog, string at, ShapeReader reader)
    {
        var stores = environment.Components.Where(component => component.Enabled).SelectMany(component => catalog.Find(component.Name)!.Backups).ToList();
        var known = string.Join(", ", stores.Select(store => store.Name).DefaultIfEmpty("none"));
        if (schedule.Input["store"] is not JsonValue named || !named.TryGetValue<string>(out var name))
        {
            // One of a wrong kind was reported.
            if (schedule.Input.Count == 0)
                reader.Report($"{at}.input", $"is missing; {{store: NAME}} is expected, one of {known}");
            return;
        }

        var backsUp = schedule.Runbook.BacksUp;
        if (stores.Find(store => store.Name == name) is not { } store)
            reader.Report($"{at}.input.store", $"{name} is no store of this environment ({known})");
        else if (backsUp is not null && backsUp != store.Store)
            reader.Report($"{at}.runbook", $"{schedule.Runbook.Name} does not back up {name}; {ScheduledRunbook.All.First(runbook => runbook.BacksUp == store.Store).Name} does");
        else if (backsUp is not null && schedule.Every > store.Schedules.Min(declared => declared.Every))
            reader.Report($"{at}.every", $"{Units.Format(schedule.Every.Value)} is less often than the catalog wants sets of {name}, every {Units.Format(store.Schedules.Min(declared => declared.Every))}: what it promises could not be kept");
        if (schedule.Input["region"] is JsonValue region && environment.Regions.All(there => there.Name != region.ToString()))
            reader.Report($"{at}.input.region", $"{region} is not a region of this environment ({string.Join(", ", environment.Regions.Select(there => there.Name))})");
    }
}

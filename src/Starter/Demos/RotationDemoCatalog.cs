namespace PlatformOps.Starter.Demos;

/// <summary>The small platform of the demo: Vault, and an application whose Deployments log in to PostgreSQL, and some that speak TLS.</summary>
internal static class RotationDemoCatalog
{
    /// <param name="folder">Gets <c>catalog</c> and <c>specification</c>.</param>
    /// <param name="speaksTls">Whether there are some that do.</param>
    public static void Write(string folder, IReadOnlyDictionary<string, IReadOnlyList<string>> logins, int replicas, bool speaksTls, string context)
    {
        Put("catalog/ground/component.yaml", $"""
            name: ground
            summary: The namespace.
            plane: demo
            namespace: {RotationDemoWorld.Space}
            health: []
            manifests: [objects.yaml]
            """);
        Put("catalog/ground/objects.yaml", $$"""
            apiVersion: v1
            kind: Namespace
            metadata: {name: {{RotationDemoWorld.Space}} }
            """);
        Put("catalog/vault/component.yaml", $$"""
            name: vault
            summary: Keeps the secrets.
            plane: demo
            namespace: {{RotationDemoWorld.Space}}
            dependsOn: [ground]
            health: [ {vault: {service: vault, tls: false} } ]
            certificateAuthorities: [ {name: {{RotationDemoWorld.Authority}}, perMinute: 600, commonName: Demo root, settle: 2s} ]
            manifests: [objects.yaml]
            """);
        Put("catalog/vault/objects.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vault}\ndata: {a: b}\n");
        Put("catalog/app/component.yaml", $$"""
            name: app
            summary: Deployments that log in to PostgreSQL.
            plane: demo
            namespace: {{RotationDemoWorld.Space}}
            dependsOn: [vault]
            secrets:
            {{Lines(logins.Keys.Select(login => $"  - {{name: {login}-credentials, literals: {{username: {login}}}, generated: {{password: 32}}}}"))}}
            rotations:
            {{Lines(logins.Keys.Select(login => $"  - {{name: {login}, kind: postgresql-users, path: demo/{login}, secret: {login}-credentials, usernameKey: username, settle: 2s}}"))}}
            {{(speaksTls ? $"certificates: [ {{name: {RotationDemoWorld.Certificate}, authority: {RotationDemoWorld.Authority}, role: {RotationDemoWorld.Role}, secret: {RotationDemoWorld.Certificate}-tls, dnsNames: [{RotationDemoWorld.ServerName}], port: {RotationDemoWorld.TlsPort}, mutual: true, settle: 2s, reloads: [Deployment/{RotationDemoWorld.Reloading}]}} ]" : "")}}
            health: [ {postgresql: {service: postgresql, tls: false} } ]
            manifests: [workloads.yaml]
            """);
        var deployments = logins.SelectMany(login => login.Value.Select(deployment => (Deployment: deployment, Login: login.Key))).GroupBy(use => use.Deployment, use => use.Login);
        string[] speakers = speaksTls ? [RotationDemoWorld.Reloading, RotationDemoWorld.Restarted] : [];
        Put("catalog/app/workloads.yaml", string.Join("\n---\n", [
            .. deployments.Select(deployment => Deployment(
                deployment.Key, replicas, $"envFrom: [ {string.Join(", ", deployment.Select(login => $"{{secretRef: {{name: {login}-credentials}}}}"))} ]", "")),
            .. speakers.Select(speaker => Deployment(
                speaker, replicas, "volumeMounts: [ {name: tls, mountPath: /tls} ]", $"volumes: [ {{name: tls, secret: {{secretName: {RotationDemoWorld.Certificate}-tls}}}} ]")),
        ]));
        Put("specification/platform.yaml", $$"""
            apiVersion: platformops.io/v1
            kind: Platform
            name: demo
            nodes: {all: {count: 1} }
            clusterSize: 1
            database: single
            monitoring: basic
            security: development-tls
            namespaces: { {{RotationDemoWorld.Space}}: {purpose: The demo, networkPolicy: cluster-wide-access, resourceClass: minimal} }
            components: {ground: {}, vault: {}, app: {} }
            performance: {workflowStartsPerSecond: 1, activityExecutionsPerSecond: 1, concurrentWorkflows: 1}
            failover: {database: off, fullStack: off, rto: 1h, rpo: 1h}
            """);
        Put($"specification/environments/{RotationDemoWorld.Environment}.yaml", $$"""
            apiVersion: platformops.io/v1
            kind: Environment
            name: {{RotationDemoWorld.Environment}}
            regions: { {{RotationDemoWorld.Region}}: {role: primary, kubernetesContext: {{context}} } }
            guardRails: {approvals: 0, maxParallel: 4, mayDestroy: true}
            """);

        void Put(string path, string text)
        {
            var file = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }
    }

    /// <param name="uses">Of the container: what it takes from Secrets.</param>
    /// <param name="has">Of the pod.</param>
    private static string Deployment(string name, int replicas, string uses, string has) => $$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: {{name}} }
        spec:
          replicas: {{replicas}}
          selector: {matchLabels: {app.kubernetes.io/name: {{name}} } }
          template:
            metadata: {labels: {app.kubernetes.io/name: {{name}} } }
            spec:
              containers:
                - name: client
                  image: registry.example.com/client:1
                  {{uses}}
                  resources: {requests: {cpu: 1m, memory: 1Mi} }
              {{has}}
        """;

    private static string Lines(IEnumerable<string> lines) => string.Join('\n', lines);
}

namespace PlatformOps.Starter.Up;

/// <summary>What <c>up</c> was asked for.</summary>
/// <param name="Port">Of the bootstrap server; 0 for any free one.</param>
/// <param name="PortIsWish">Whether another port will do when something else listens on it.</param>
/// <param name="TimeScale">Multiplies every simulated delay; 1 is as declared, 0 is at once.</param>
/// <param name="Seed">Decides the simulated ready times.</param>
/// <param name="Worker">Whether runs are carried out in this process; else a separate <c>platformops worker</c> has to.</param>
/// <param name="Once">End after the provisioning.</param>
/// <param name="Approve">Approve the plan, whatever it is, where the environment wants an approval.</param>
/// <param name="Reset">Forget what the data directory holds first.</param>
internal sealed record UpOptions(
    string Environment, int Port, bool PortIsWish, double TimeScale, int Seed, bool Worker, bool Once, bool Approve, bool Reset);

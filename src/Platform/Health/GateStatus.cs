namespace PlatformOps.Platform.Health;

/// <summary>How a health gate stands.</summary>
/// <param name="Message">One sentence, for example <c>Deployment temporal-backend/temporal-history: 2/3 replicas ready</c>.</param>
public sealed record GateStatus(GateState State, string Message)
{
    public static GateStatus Passed(string message) => new(GateState.Passed, message);

    public static GateStatus OnTheWay(string message) => new(GateState.OnTheWay, message);

    public static GateStatus Hopeless(string message) => new(GateState.Hopeless, message);
}

public enum GateState
{
    /// <summary>As it has to be.</summary>
    Passed,

    /// <summary>Not yet; waiting may help.</summary>
    OnTheWay,

    /// <summary>It cannot pass as things are: somebody has to change something.</summary>
    Hopeless,
}

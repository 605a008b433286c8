using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Provisioning;

/// <summary>Facts about one region of the world, with their source and time. What is not in <see cref="Objects"/> and was asked for does not exist:
/// an observation that could not be completed is an error of the observer, never an observation with holes.</summary>
public sealed record RegionObservation
{
    public required string Region { get; init; }

    /// <summary>Live objects: every one that carries our labels for the environment, and every one at an address of the desired state, whoever owns it.</summary>
    public required IReadOnlyList<ObservedObject> Objects { get; init; }

    public required DateTimeOffset ObservedAt { get; init; }

    /// <summary>Where it was read, for example the API server's address.</summary>
    public required string Source { get; init; }

    /// <summary>Systems (by their <c>apiVersion</c>) that the environment's components have nothing in by now and that did not answer: what retired components left there was not seen.</summary>
    public IReadOnlyList<string> Unanswered { get; init; } = [];
}

/// <summary>A live object.</summary>
public sealed record ObservedObject(ResourceAddress Address, JsonObject Manifest);

/// <summary>An object as the specification and catalog want it, with our labels and without operation annotations.</summary>
public sealed record DesiredObject(ResourceAddress Address, JsonObject Manifest)
{
    /// <summary>The names of values in it that only the world knows, and has not told yet. It cannot be written as long as there are any.</summary>
    public IReadOnlyList<string> Awaits { get; init; } = [];

    /// <summary>What it leaves to somebody else although it is declared, as a sentence; null: nothing.</summary>
    public string? Yields { get; init; }
}

namespace PlatformOps.Platform.Certificates;

/// <summary>What is done next in the rotation of an authority.</summary>
public enum AuthorityStep
{
    /// <summary>Look again later.</summary>
    Wait,

    /// <summary>Somebody has to change something first.</summary>
    Stop,

    /// <summary>Make the new root.</summary>
    Prepare,

    /// <summary>Have everything that says whom to trust name both roots.</summary>
    AddTrust,

    /// <summary>Restart a consumer that trusts what it read when it started.</summary>
    Refresh,

    /// <summary>Have the new root sign from now on.</summary>
    Activate,

    /// <summary>Rotate a certificate: it is signed by the root that signs now.</summary>
    Roll,

    /// <summary>The proof holds; it has to hold longer.</summary>
    Settle,

    /// <summary>Have everything that says whom to trust name the new root only. There is no way back.</summary>
    DropTrust,

    /// <summary>Revoke the old root.</summary>
    Revoke,

    /// <summary>Everything is done.</summary>
    Finish,

    /// <summary>On the way back: have the old root sign again.</summary>
    Deactivate,

    /// <summary>On the way back: have everything that says whom to trust name the old root only.</summary>
    RestoreTrust,

    /// <summary>On the way back: delete the new root, which nobody trusts any more.</summary>
    Discard,
}

/// <summary>What is done next, and why.</summary>
/// <param name="Why">One sentence for an operator.</param>
/// <param name="About">The consumer or certificate that it is about; null: all.</param>
public sealed record AuthorityDecision(AuthorityStep Step, string Why, string? About = null);

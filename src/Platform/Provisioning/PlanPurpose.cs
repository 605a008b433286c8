namespace PlatformOps.Platform.Provisioning;

/// <summary>What a plan is made for. It decides how differences become actions.</summary>
public enum PlanPurpose
{
    /// <summary>Bring the world to what is specified; what belongs to others is a conflict.</summary>
    Provision,

    /// <summary>Undo what was changed by hand: declared fields of our objects are taken back from whoever changed them, what is missing is created again,
    /// and nothing is removed. The plan has only what differs.</summary>
    Revert,

    /// <summary>Bring one component to what is specified, region by region, the secondary ones first; see <see cref="Upgrades"/>.</summary>
    Upgrade,

    /// <summary>Remove what is ours, in the reverse of the order in which it was made; see <see cref="DecommissionPlanner"/>.</summary>
    Decommission,
}

using System.Globalization;
using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Health;

/// <summary>Whether cert-manager has issued a Certificate that is valid now.</summary>
internal static class CertificateStatus
{
    public static GateStatus Judge(string name, JsonObject live, DateTimeOffset now)
    {
        var issuing = ResourceStatus.Condition(live, "Issuing");
        if (ResourceStatus.Condition(live, "Ready") is not { } ready || ResourceStatus.IsStale(live, ready["observedGeneration"]))
            return GateStatus.OnTheWay($"{name}: cert-manager has not looked at it yet");
        if (!ResourceStatus.Is(ready, "True"))
        {
            // The next attempt comes after an hour or later: nobody should wait for it.
            return issuing is not null && ResourceStatus.Is(issuing, "False") && live["status"]?["lastFailureTime"] is not null
                ? GateStatus.Hopeless($"{name}: issuing failed ({ResourceStatus.Said(issuing)}). Correct the issuer or the request, then have it issued again (cmctl renew)")
                : GateStatus.OnTheWay($"{name} is not Ready ({ResourceStatus.Said(ready)})");
        }

        if (!DateTimeOffset.TryParse(ResourceStatus.Text(live["status"]?["notAfter"]), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var notAfter))
            return GateStatus.OnTheWay($"{name} is Ready, but does not say until when it is valid");
        var until = notAfter.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
        return notAfter > now ? GateStatus.Passed($"{name} is valid until {until}") : GateStatus.OnTheWay($"{name} expired at {until} and was not renewed");
    }
}

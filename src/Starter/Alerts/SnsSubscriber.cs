using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Alerts;
using PlatformOps.Platform.Alerts;

namespace PlatformOps.Starter.Alerts;

/// <summary>Reads what SNS posts: believes what SNS has signed for a topic that is declared, and confirms subscriptions of these.</summary>
internal sealed class SnsSubscriber(HttpClient outside)
{
    private readonly ConcurrentDictionary<Uri, X509Certificate2> certificates = [];

    /// <returns>The alarm, or nothing: a subscription's question, an alarm without enough data.</returns>
    public async Task<IReadOnlyList<Alert>> ReadAsync(ReadOnlyMemory<byte> body, IReadOnlyList<string> topics, CancellationToken ct)
    {
        var message = SnsMessage.Read(body);
        if (!topics.Contains(message.Topic))
            throw new AdapterException(AdapterFailureKind.Unauthorized, $"The topic {message.Topic} is not one of sns.topics.");
        await message.VerifyAsync(CertificateAsync, ct);
        if (message.AsksToConfirm)
        {
            await AskAsync(message.SubscribeUrl, ct);
            return [];
        }

        return message.Type == "Notification" && message.Alarm() is { } alarm ? [alarm] : [];
    }

    private async Task<X509Certificate2> CertificateAsync(Uri address, CancellationToken ct)
    {
        if (certificates.TryGetValue(address, out var known))
            return known;
        try
        {
            return certificates.GetOrAdd(address, X509Certificate2.CreateFromPem(await AskAsync(address, ct)));
        }
        catch (CryptographicException failure)
        {
            throw new AdapterException(AdapterFailureKind.Unavailable, $"What {address} gave is no certificate: {failure.Message}", failure);
        }
    }

    private async Task<string> AskAsync(Uri address, CancellationToken ct)
    {
        try
        {
            return await outside.GetStringAsync(address, ct);
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException && !ct.IsCancellationRequested)
        {
            throw new AdapterException(AdapterFailureKind.Unavailable, $"{address.Host} does not answer: {failure.Message}", failure);
        }
    }
}

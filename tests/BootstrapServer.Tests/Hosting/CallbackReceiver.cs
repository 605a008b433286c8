using System.Net;
using Temporalio.Api.Common.V1;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>Somebody who is called when a workflow ends. Answers so many calls with a failure first.</summary>
internal sealed class CallbackReceiver : IAsyncDisposable
{
    private readonly HttpListener listener = new();
    private readonly int status;
    private readonly Task serving;
    private readonly List<Call> calls = [];
    private int failures;

    public CallbackReceiver(int failures = 0, int status = 503, int? port = null)
    {
        (this.failures, this.status) = (failures, status);
        Port = port ?? StablePort.Next();
        listener.Prefixes.Add($"http://127.0.0.1:{Port}/");
        listener.Start();
        serving = ServeAsync();
    }

    public int Port { get; }

    public IReadOnlyList<Call> Calls
    {
        get
        {
            lock (calls)
                return [.. calls];
        }
    }

    public Callback Callback(string header) => To(Port, header);

    public static Callback To(int port, string header) => new() { Nexus = new() { Url = $"http://127.0.0.1:{port}/callback", Header = { ["my-header"] = header } } };

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await serving;
        listener.Close();
    }

    private async Task ServeAsync()
    {
        while (listener.IsListening)
        {
            try
            {
                await AnswerAsync(await listener.GetContextAsync());
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException or IOException)
            {
                // Stopped, or the caller went away: a call that was counted has been made.
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        using var reader = new StreamReader(context.Request.InputStream);
        var call = new Call(context.Request.Headers.AllKeys.ToDictionary(k => k!, k => context.Request.Headers[k]!, StringComparer.OrdinalIgnoreCase), await reader.ReadToEndAsync());
        lock (calls)
            calls.Add(call);
        context.Response.StatusCode = failures-- > 0 ? status : 200;
        context.Response.Close();
    }

    public sealed record Call(IReadOnlyDictionary<string, string> Headers, string Body);
}

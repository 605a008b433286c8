using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Timers;
using Temporalio.Api.TestService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>What test harnesses do with time. Only a server that was started to skip time answers.</summary>
internal sealed class TestServiceCalls(Engine engine) : IProtocolCalls
{
    public string Service => TestServiceName.Name;

    private TimeSkipper Skipper => engine.Skipper
        ?? throw ServiceError.Unimplemented("temporal.api.testservice.v1.TestService (time goes with the wall clock unless the server is started with SkipTime)");

    public Task<LockTimeSkippingResponse> LockTimeSkipping(LockTimeSkippingRequest request, ServerCallContext context)
    {
        Skipper.Hold();
        return Task.FromResult(new LockTimeSkippingResponse());
    }

    public Task<UnlockTimeSkippingResponse> UnlockTimeSkipping(UnlockTimeSkippingRequest request, ServerCallContext context)
    {
        Skipper.Release();
        return Task.FromResult(new UnlockTimeSkippingResponse());
    }

    public async Task<SleepResponse> Sleep(SleepRequest request, ServerCallContext context)
    {
        await Skipper.SleepAsync(request.Duration?.ToTimeSpan() ?? TimeSpan.Zero, context.CancellationToken);
        return new SleepResponse();
    }

    public async Task<SleepResponse> SleepUntil(SleepUntilRequest request, ServerCallContext context)
    {
        if (request.Timestamp is null)
            throw ServiceError.InvalidArgument("Timestamp is not set on request.");
        await Skipper.SleepUntilAsync(request.Timestamp.ToDateTimeOffset(), context.CancellationToken);
        return new SleepResponse();
    }

    public async Task<SleepResponse> UnlockTimeSkippingWithSleep(SleepRequest request, ServerCallContext context)
    {
        await Skipper.ReleaseForAsync(request.Duration?.ToTimeSpan() ?? TimeSpan.Zero, context.CancellationToken);
        return new SleepResponse();
    }

    public Task<GetCurrentTimeResponse> GetCurrentTime(Empty request, ServerCallContext context) =>
        Task.FromResult(new GetCurrentTimeResponse { Time = Skipper.Now.ToTimestamp() });
}

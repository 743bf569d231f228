using Halftone.Api.Access;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

internal static class AccessSetup
{
    public static void AddAccess(this IServiceCollection services)
    {
        services.AddOptions<AccessOptions>().BindConfiguration("Access").ValidateOnStart();
        services.AddSingleton<IValidateOptions<AccessOptions>, AccessOptionsValidator>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<AccessGuard>();
    }

    public static void UseAccess(this WebApplication server)
    {
        var guard = server.Services.GetRequiredService<AccessGuard>();
        server.Use(async (context, next) =>
        {
            if (await guard.JudgeAsync(context) is { } refused)
            {
                await refused.ExecuteAsync(context);
            }
            else
            {
                await next(context);
            }
        });
    }
}

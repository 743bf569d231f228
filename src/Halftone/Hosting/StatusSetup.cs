using System.Text.Json;
using System.Text.Json.Serialization;
using Halftone.Api;
using Halftone.Model;
using Halftone.Requests;
using Halftone.Store;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

internal static class StatusSetup
{
    public static void AddStatus(this IServiceCollection services)
    {
        services.AddOptions<ServerOptions>().BindConfiguration("Server").ValidateOnStart();
        services.AddSingleton<IValidateOptions<ServerOptions>, ServerOptionsValidator>();
        services.AddSingleton(provider =>
            PublicUrls.Of(
                provider.GetRequiredService<IOptions<ServerOptions>>().Value,
                provider.GetRequiredService<IServer>(),
                provider.GetRequiredService<IImageStore>()));
        services.AddSingleton<StatusReader>();
        services.AddSingleton<RequestActions>();
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
            json.SerializerOptions.Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default);
        });
    }
}

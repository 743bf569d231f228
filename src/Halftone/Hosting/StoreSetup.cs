using Halftone.Pipeline;
using Halftone.Store;
using Microsoft.Extensions.Options;

namespace Halftone.Hosting;

internal static class StoreSetup
{
    public static void AddStore(this IServiceCollection services)
    {
        services.AddOptions<DataOptions>().BindConfiguration("Data").ValidateOnStart();
        services.AddSingleton<IValidateOptions<DataOptions>, DataOptionsValidator>();
        services.AddOptions<S3Options>().BindConfiguration(S3Options.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<S3Options>, S3OptionsValidator>();
        services.AddOptions<CloudinaryOptions>().BindConfiguration(CloudinaryOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<CloudinaryOptions>, CloudinaryOptionsValidator>();
        services.AddSingleton(provider => new DataFolder(provider.GetRequiredService<IOptions<DataOptions>>().Value.Folder));
        services.AddSingleton(provider =>
            new S3Store(provider.GetRequiredService<IOptions<S3Options>>().Value, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider =>
            new CloudinaryStore(
                provider.GetRequiredService<IOptions<CloudinaryOptions>>().Value,
                provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(FilesOf);
        services.AddSingleton(ImagesOf);
        services.AddRunning<OrphanSweep>();
    }

    private static IFileStore FilesOf(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<S3Options>>().Value.IsUsed
            ? provider.GetRequiredService<S3Store>()
            : new FolderStore(provider.GetRequiredService<DataFolder>().Files);

    private static IImageStore ImagesOf(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<CloudinaryOptions>>().Value.IsUsed ? provider.GetRequiredService<CloudinaryStore>()
        : provider.GetRequiredService<IOptions<S3Options>>().Value.IsUsed ? provider.GetRequiredService<S3Store>()
        : new FolderStore(provider.GetRequiredService<DataFolder>().Images);
}

using Halftone.Queue;
using Microsoft.Extensions.Options;

namespace Halftone.Store;

internal static class StoreSetup
{
    public static void AddStore(this IServiceCollection services)
    {
        services.AddOptions<DataOptions>().BindConfiguration("Data").ValidateOnStart();
        services.AddSingleton<IValidateOptions<DataOptions>, DataOptionsValidator>();
        services.AddSingleton(provider => new DataFolder(provider.GetRequiredService<IOptions<DataOptions>>().Value.Folder));
        services.AddSingleton(provider => new StoredFiles(new FolderStore(provider.GetRequiredService<DataFolder>().Files)));
        services.AddSingleton(provider => new StoredImages(new FolderStore(provider.GetRequiredService<DataFolder>().Images)));
        services.AddRunning<OrphanSweep>();
    }
}

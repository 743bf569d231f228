using System.CommandLine;
using Halftone.Access;
using Halftone.Commands;
using Halftone.Compress;
using Halftone.Database;
using Halftone.Fetch;
using Halftone.Health;
using Halftone.Intake;
using Halftone.Page;
using Halftone.Queue;
using Halftone.Results;
using Halftone.Status;
using Halftone.Store;
using Halftone.Webhooks;

namespace Halftone;

/// <summary>The map: the verbs of the command line, then the stages of the server in the order an image passes them.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args)
    {
        // First of all, so that a codec child loads nothing but the codec.
        if (args is [CodecCommand.Verb, ..])
        {
            return Task.FromResult(CodecCommand.Run(args));
        }

        var root = new RootCommand("Halftone takes a CSV of products with image URLs, compresses every image and gives the CSV back.")
        {
            ServerOptionsOnCommandLine.Urls,
            ServerOptionsOnCommandLine.Data,
            ServerOptionsOnCommandLine.AllowNetwork,
            ServeCommand.Create(),
            DemoCommand.Create(),
            MigrateCommand.Create(),
            WebhookSecretCommand.Create(),
            KeysCommand.Create(),
        };
        root.SetAction(ServeCommand.RunAsync);
        // Its own 2 s would end a server that is stopping in order.
        return root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(15) });
    }

    /// <summary>The server, not yet started.</summary>
    public static WebApplication BuildServer(WebApplicationBuilder builder)
    {
        builder.Services.AddAccess();
        builder.Services.AddStore();
        builder.Services.AddDatabase();
        builder.Services.AddIntake();
        builder.Services.AddQueue();
        builder.Services.AddFetch();
        builder.Services.AddCompress();
        builder.Services.AddResults();
        builder.Services.AddWebhooks();
        builder.Services.AddStatus();

        var server = builder.Build();
        server.UseProblems();
        server.UseOneSpelling();
        server.UseAccess();
        server.UseRequestDecompression();
        server.UseRouting();
        server.MapPage();
        server.MapUpload();
        server.MapStatus();
        server.MapEvents();
        server.MapRequests();
        server.MapResults();
        server.MapImages();
        server.MapWebhooks();
        server.MapHealth();
        return server;
    }
}

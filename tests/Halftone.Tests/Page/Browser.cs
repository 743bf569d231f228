using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using Halftone.Tests.Servers;
using Microsoft.Playwright;

namespace Halftone.Tests.Page;

/// <summary>One Chromium for all tests of the page; each test opens windows of its own, which share nothing.</summary>
public sealed partial class Browser : IAsyncLifetime
{
    private static readonly string? Program =
        (from folder in Environment.GetEnvironmentVariable("PATH")!.Split(':')
         from name in new[] { "chromium", "chromium-browser", "google-chrome" }
         select Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static readonly string Axe = Path.Combine(Script.Repository, "tests", "node", "node_modules", "axe-core", "axe.min.js");

    private IPlaywright? playwright;
    private IBrowser? browser;

    /// <summary>Where pictures of the page are written with HALFTONE_WRITE_DOCS=1; null where they are not asked for.</summary>
    private static string? Pictures =>
        Environment.GetEnvironmentVariable("HALFTONE_WRITE_DOCS") is null
            ? null
            : Directory.CreateDirectory(Path.Combine(Script.Repository, "docs", "images")).FullName;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }

        playwright?.Dispose();
    }

    /// <summary>A fresh window on a server.</summary>
    internal async Task<Window> OpenAsync(
        HalftoneServer server, string path = "", BrowserNewContextOptions? options = null, bool mayComplain = false)
    {
        Assert.SkipUnless(
            Program is not null && File.Exists(Axe), "Chromium and the packages of tests/node are not installed; ./test does it.");
        playwright ??= await Playwright.CreateAsync();
        browser ??= await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Program,
            // Tests run as root in containers; nothing is fetched but from servers of the test.
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync",
            ],
        });
        Assertions.SetDefaultExpectTimeout(60_000);
        options ??= new();
        options.BaseURL = server.Client.BaseAddress!.AbsoluteUri;
        options.ViewportSize ??= new() { Width = 1280, Height = 900 };
        options.Locale = "en";
        options.TimezoneId = "UTC";
        var context = await browser.NewContextAsync(options);
        context.SetDefaultTimeout(60_000);
        await context.AddInitScriptAsync(scriptPath: Axe);
        var window = new Window(context, await context.NewPageAsync()) { MayComplain = mayComplain };
        await GoAsync(window.Page, path);
        return window;
    }

    /// <summary>A browser that has just been started on a busy machine sometimes loses its first request: it is asked again.</summary>
    private static async Task GoAsync(IPage page, string path)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await page.GotoAsync(path, new() { Timeout = 20_000 });
                return;
            }
            catch (TimeoutException) when (tries < 5)
            {
                // Once more.
            }
        }
    }

    /// <summary>A window, and what went wrong in it.</summary>
    internal sealed partial class Window : IAsyncDisposable
    {
        private readonly IBrowserContext context;
        private readonly ConcurrentQueue<string> complaints = [];

        public Window(IBrowserContext context, IPage page)
        {
            this.context = context;
            Page = page;
            page.PageError += (_, error) => complaints.Enqueue(error);
            page.Console += (_, message) =>
            {
                // An image or an answer that is missing on purpose is no fault of the page.
                if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
                {
                    complaints.Enqueue(message.Text);
                }
            };
        }

        public IPage Page { get; }

        public ILocator this[string selector] => Page.Locator(selector);

        public Task GiveAsync(string csv, string name = "products.csv") =>
            Page.SetInputFilesAsync(
                "#file", new FilePayload { Name = name, MimeType = "text/csv", Buffer = System.Text.Encoding.UTF8.GetBytes(csv) });

        /// <summary>Gives a file and starts it, and waits until the request's view is there.</summary>
        public async Task<Guid> StartAsync(string csv, string name = "products.csv")
        {
            await GiveAsync(csv, name);
            await PressStartAsync();
            return Guid.Parse(Page.Url[^36..]);
        }

        /// <summary>Sends the upload and waits until its request is shown.</summary>
        public async Task PressStartAsync()
        {
            await this["#start-button"].ClickAsync();
            // WaitForURLAsync would wait for a navigation, and misses one within the document that comes as it begins to.
            await Assertions.Expect(Page).ToHaveURLAsync(RequestUrl());
        }

        [GeneratedRegex("#/requests/")]
        private static partial Regex RequestUrl();

        /// <summary>
        /// Waits for the state of the request that is shown: of the one before, its word stands there unseen until the next is entered.
        /// </summary>
        public Task EndsAsync(string state = "Finished") => Assertions.Expect(this["#request-state:visible"]).ToHaveTextAsync(state);

        /// <summary>Nothing that axe knows of keeps anybody from using what is shown, and nothing is wider than the window.</summary>
        public async Task IsForEverybodyAsync(string view)
        {
            var found = await Page.EvaluateAsync<JsonElement>(
                "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations.map(v => `${v.id}: ${v.help}: "
                    + "${v.nodes.map(n => n.html + ' ' + n.any.map(a => a.message).join(' ')).join(' | ')}`)");
            Assert.True(found.GetArrayLength() == 0, $"{view}: {found}");
            Assert.True(
                await Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= window.innerWidth"),
                $"{view} is wider than its window");
        }

        /// <summary>Writes docs/images/NAME.png where pictures are asked for.</summary>
        public async Task PictureAsync(string name, bool isWhole = false)
        {
            if (Pictures is { } folder)
            {
                await Page.Mouse.MoveAsync(0, 0);
                var size = Page.ViewportSize!;
                if (isWhole)
                {
                    // Not only the first window's worth of the contact sheet.
                    await Page.EvaluateAsync("() => scrollTo(0, 0)");
                    await Page.SetViewportSizeAsync(
                        size.Width, await Page.EvaluateAsync<int>("() => document.documentElement.scrollHeight"));
                }

                await Page.WaitForFunctionAsync("() => [...document.images].every(image => !image.src || image.complete)");
                await Page.WaitForTimeoutAsync(400);   // what fades in has faded in
                await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png") });
                await Page.SetViewportSizeAsync(size.Width, size.Height);
            }
        }

        /// <summary>The test does on purpose what a page must not.</summary>
        public bool MayComplain { get; init; }

        public async ValueTask DisposeAsync()
        {
            await context.DisposeAsync();
            Assert.True(MayComplain || complaints.IsEmpty, string.Join('\n', complaints));
        }
    }
}

using System.Text.Json;
using Halftone.Api.Access;
using Halftone.Model;
using Halftone.Tests.Servers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Halftone.Tests.Page;

/// <summary>The page as people use it: in a real browser, on a real server.</summary>
public sealed class PageTests(Browser browser) : IClassFixture<Browser>
{
    private const string Header = "S. No.,Product Name,Input Image Urls\n";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_is_previewed_started_and_followed_and_each_image_is_compared_with_its_source()
    {
        var referrers = 0;
        await using var origin = await ServeSamplesAsync(context => Interlocked.Add(ref referrers, context.Request.Headers.Referer.Count));
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await using var window = await browser.OpenAsync(server);
        await window.PictureAsync("home");

        await window.GiveAsync(SampleCsv(origin));
        await Expect(window["#preview-sum"]).ToContainTextAsync("6 products with 12 images from 1 host.");
        await Expect(window["#preview-columns"]).ToContainTextAsync("Input Image Urls");
        await Expect(window["#preview-hosts"]).ToHaveTextAsync("127.0.0.112 images");
        await Expect(window["#preview-rows tbody tr"]).ToHaveCountAsync(6);
        await Expect(window["#preview-rows tbody tr:nth-child(3) td:nth-child(2)"]).ToHaveTextAsync("Desk Lamp Ärla");
        Assert.Equal(0, origin.RequestCount);
        await window.PictureAsync("preview");
        await window["#options summary"].ClickAsync();
        await window["#quality"].FillAsync("101");
        await window["#start-button"].ClickAsync();
        await Expect(window["#start-trouble"]).ToContainTextAsync("'quality'");
        await Expect(window["#quality"]).ToBeFocusedAsync();
        await window["#quality"].FillAsync("50");
        await window["#start-button"].ClickAsync();

        await window.EndsAsync();
        await Expect(window["#done"]).ToHaveTextAsync("12");
        Assert.InRange(double.Parse((await window["#saved"].TextContentAsync())!.TrimEnd('%', ' '), System.Globalization.CultureInfo.InvariantCulture), 50, 95);
        await Expect(window["#sheet img.there"]).ToHaveCountAsync(12);
        await window.PictureAsync("finished", isWhole: true);
        await window.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await window.PictureAsync("dark");
        await window.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });

        await window["#sheet li >> nth=1"].ClickAsync();
        await Expect(window["#compare-name"]).ToHaveTextAsync("Stoneware Mug, 350 ml");
        await window.Page.WaitForFunctionAsync("() => ['before-image', 'after-image'].every(id => document.getElementById(id).naturalWidth === 1440)");
        await Expect(window["#compare-facts"]).ToContainTextAsync("1,440 × 1,080 pixels, JPEG");
        await Expect(window["#compare-facts"]).ToContainTextAsync("line 2, image 2 of the row");
        Assert.Equal(0, referrers);
        Assert.Equal("50%", await PartAsync(window));
        await Expect(window["#slide"]).ToBeFocusedAsync();
        await window.Page.Keyboard.PressAsync("End");
        Assert.Equal("100%", await PartAsync(window));
        await Expect(window["#slide"]).ToHaveAttributeAsync("aria-valuetext", "100% before, 0% after");
        await window["#slide"].FillAsync("45");
        await window.PictureAsync("compare");
        await window["#compare-next"].ClickAsync();
        await Expect(window["#compare-facts"]).ToContainTextAsync("PNG");
        await window["#compare-close"].ClickAsync();
        await Expect(window["#sheet li >> nth=2 >> button"]).ToBeFocusedAsync();

        foreach (var (link, ending) in new[] { ("#get-csv", "products-result.csv"), ("#get-ndjson", "products-result.ndjson") })
        {
            var download = await window.Page.RunAndWaitForDownloadAsync(() => window[link].ClickAsync());
            Assert.Equal(ending, download.SuggestedFilename);
        }

        // The address leads back to it, in another window too.
        await using var other = await browser.OpenAsync(server, $"#/requests/{window.Page.Url[^36..]}", new() { ViewportSize = new() { Width = 390, Height = 844 }, DeviceScaleFactor = 2 });
        await Expect(other["#request-name"]).ToHaveTextAsync("products.csv");
        await Expect(other["#sheet img.there"]).Not.ToHaveCountAsync(0);
        await other.PictureAsync("phone");
        await other.Page.GotoAsync($"#/requests/{Guid.Empty}");
        await Expect(other["#nowhere h1"]).ToBeFocusedAsync();
        await other["#nowhere a"].ClickAsync();
        await Expect(other["#requests li"]).ToContainTextAsync("12 images");

        // What has not changed is taken over, unless everything is to be done afresh.
        await other.StartAsync(SampleCsv(origin));
        await other.EndsAsync();
        await Expect(other["#reused"]).ToHaveTextAsync("12");
        await other.Page.GotoAsync("#/");
        await other.GiveAsync(SampleCsv(origin));
        await other["#options summary"].ClickAsync();
        await other["#afresh"].CheckAsync();
        // By keyboard alone, from one field to the next; what is no number is told beside the field that it is in.
        await other["#format"].FocusAsync();
        await other.Page.Keyboard.PressAsync("Tab");
        await Expect(other["#max-width"]).ToBeFocusedAsync();
        await other.Page.Keyboard.TypeAsync("320");
        await other.Page.Keyboard.PressAsync("Tab");
        await Expect(other["#max-height"]).ToBeFocusedAsync();
        await other.Page.Keyboard.TypeAsync("-");
        await other.IsForEverybodyAsync("the options of an upload on a phone");
        await other["#start-button"].ClickAsync();
        await Expect(other["#start-trouble"]).ToContainTextAsync("'max_height' must be a whole number of pixels");
        await Expect(other["#max-height"]).ToBeFocusedAsync();
        await other["#max-height"].FillAsync("200");
        await other["#variants"].FillAsync("thumb:width=64");
        await other["#start-button"].ClickAsync();
        await Expect(other["#start-trouble"]).ToContainTextAsync("'width' of 'thumb' is not a variant option");
        await Expect(other["#variants"]).ToBeFocusedAsync();
        await other["#variants"].FillAsync("thumb:max_width=64,format=webp;tall:max_height=99");
        await other.PressStartAsync();
        await other.EndsAsync();
        await Expect(other["#reused-fact"]).ToBeHiddenAsync();
        var asked = (await server.StatusAsync(Guid.Parse(other.Page.Url[^36..]), Cancelled)).GetProperty("options");
        Assert.Equal(
            (320, 200, "thumb:max_width=64,format=webp;tall:max_height=99"),
            (asked.GetProperty("max_width").GetInt32(), asked.GetProperty("max_height").GetInt32(), asked.GetProperty("variants").GetString()));
        await other["#sheet li >> nth=1"].ClickAsync();
        await Expect(other["#compare-facts"]).ToContainTextAsync("Extra size thumb64 × 48 pixels, WebP");
        await Expect(other["#compare-facts"]).ToContainTextAsync("Extra size tall132 × 99 pixels, JPEG");
        await other.IsForEverybodyAsync("an image with variants on a phone");
    }

    [Fact]
    public async Task A_file_with_problems_is_not_started_and_tells_each_with_line_column_and_what_to_do()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await using var window = await browser.OpenAsync(server);
        await window.GiveAsync(Header + "1,Mug,shop.example/mug.jpg\n2,Desk Lamp,https://shop.example/lamp.jpg,42\n3,Vase,https://shop.example/vase.jpg\n4,Board,ftp://shop.example/board.jpg\n");
        await Expect(window["#problems-title"]).ToHaveTextAsync("3 problems");
        await Expect(window["#problems-advice"]).ToContainTextAsync("save it as CSV, and drop the file here again");
        await Expect(window["#problems-table tbody tr >> nth=0"]).ToContainTextAsync("2Input Image Urls“shop.example/mug.jpg” is not a valid URL.");
        await Expect(window["#problems-table tbody tr >> nth=2"]).ToContainTextAsync("5Input Image Urls");
        await Expect(window["#start-button"]).ToBeHiddenAsync();
        await window.PictureAsync("problems", isWhole: true);
        foreach (var link in await window["#problems-table a"].AllAsync())
        {
            Assert.True((await window.Page.APIRequest.GetAsync(new Uri(server.Client.BaseAddress!, await link.GetAttributeAsync("href")).AbsoluteUri)).Ok);
        }

        // Mended, and dropped; then pasted from a spreadsheet, with tabs; then of a kind that nobody can read.
        await window.Page.EvaluateAsync("""
            text => {
              const data = new DataTransfer();
              data.items.add(new File([text], 'mended.csv', { type: 'text/csv' }));
              for (const type of ['dragenter', 'dragover', 'drop']) document.getElementById('drop').dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
            }
            """, Header + "1,Mug,\n");
        await Expect(window["#preview-name"]).ToHaveTextAsync("mended.csv");
        await Expect(window["#start-button"]).ToBeVisibleAsync();
        await Expect(window["#preview-problems"]).ToBeHiddenAsync();
        await window.Page.EvaluateAsync("""
            text => {
              const data = new DataTransfer();
              data.setData('text/plain', text);
              document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
            }
            """, "Product Name\tImages\nMug\thttps://shop.example/a.jpg\n");
        await Expect(window["#preview-sum"]).ToContainTextAsync("1 product with 1 image from 1 host. 51 B, tab-separated, UTF-8.");
        await window.GiveAsync("sep=;\r\nProduct Name;Images\r\nMug, red;https://shop.example/a.jpg\r\n");
        await Expect(window["#preview-rows thead"]).ToHaveTextAsync("Product NameImages");
        await Expect(window["#preview-rows tbody"]).ToHaveTextAsync("Mug, redhttps://shop.example/a.jpg");
        await window.GiveAsync("%PDF-1.7\n%âãÏÓ\n", "catalogue.pdf");
        await Expect(window["#problems-title"]).ToHaveTextAsync("1 problem");
        await Expect(window["#problems-table"]).ToContainTextAsync("whole file");
    }

    [Fact]
    public async Task What_a_spreadsheet_says_is_text_and_the_browser_is_told_to_take_it_for_nothing_else()
    {
        const string Hostile = "<img src=x onerror=\"window.isTaken=true\"><script>window.isTaken=true</script>";
        await using var origin = await ServeSamplesAsync();
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await using (var window = await browser.OpenAsync(server))
        {
            await window.StartAsync(Header.Replace("Product Name", $"Product Name,\"{Hostile.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", StringComparison.Ordinal) + $"1,\"{Hostile.Replace("\"", "\"\"", StringComparison.Ordinal)}\",x,{origin.Url("mug-front.jpg")}\n", "<b>products.csv");
            await window.EndsAsync();
            await Expect(window["#request-name"]).ToHaveTextAsync("<b>products.csv");
            await Expect(window["#sheet .name"]).ToHaveTextAsync(Hostile);
            await window["#sheet button"].ClickAsync();
            await Expect(window["#compare-name"]).ToHaveTextAsync(Hostile);
            Assert.False(await window.Page.EvaluateAsync<bool>("() => window.isTaken === true"));
        }

        // And if a line of the page forgot it: markup from text is refused, and so are scripts that did not come as files of ours.
        await using var tried = await browser.OpenAsync(server, mayComplain: true);
        var refused = await tried.Page.EvaluateAsync<string[]>("""
            async () => {
              const refused = [];
              const attempt = (name, action) => { try { action(); } catch (error) { refused.push(`${name}: ${error.name}`); } };
              document.addEventListener('securitypolicyviolation', event => refused.push(event.effectiveDirective));
              attempt('innerHTML', () => document.body.innerHTML = '<p>');
              attempt('script', () => document.createElement('script').text = '1');
              const form = document.createElement('form');
              form.action = 'https://elsewhere.example/';
              document.body.append(form);
              form.submit();
              await fetch('https://elsewhere.example/').catch(() => refused.push('fetch'));
              for (let frame = 0; frame < 300 && !refused.includes('form-action'); frame++) await new Promise(resolve => requestAnimationFrame(resolve));
              return refused;
            }
            """);
        Assert.Contains("innerHTML: TypeError", refused);
        Assert.Contains("script: TypeError", refused);
        Assert.Contains("connect-src", refused);
        Assert.Contains("form-action", refused);
    }

    [Fact]
    public async Task Failures_are_told_by_cause_and_host_with_what_to_do_and_tried_again()
    {
        await using var origin = await ServeSamplesAsync();
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await using var window = await browser.OpenAsync(server);
        var id = await window.StartAsync($"{Header}1,Mug,\"{origin.Url("mug-front.jpg")},{origin.Url("mug-side.jpg")}\"\n2,Lamp,\"{origin.Url("lamp-old.jpg")},http://10.1.2.3/lamp.jpg,http://shop.invalid/lamp.jpg\"\n3,Board,{origin.Url("board-above.jpg")}\n");
        await window.EndsAsync();
        await Expect(window["#errors-title"]).ToHaveTextAsync("4 images failed");
        await Expect(window["#errors-list li >> nth=0"]).ToContainTextAsync("2 The host answered with an error instead of the image.");
        await Expect(window["#errors-list li >> nth=0"]).ToContainTextAsync("At 127.0.0.1 (2).");
        await Expect(window["#errors-list"]).ToContainTextAsync("At shop.invalid (1).");
        await window.PictureAsync("errors", isWhole: true);
        foreach (var link in await window["#errors-list a"].AllAsync())
        {
            Assert.True((await window.Page.APIRequest.GetAsync(new Uri(server.Client.BaseAddress!, await link.GetAttributeAsync("href")).AbsoluteUri)).Ok);
        }

        // What the server did not fetch is not fetched by the browser either: the address stands there as text.
        await window["#sheet-filter label >> nth=2"].ClickAsync();
        await Expect(window["#sheet li"]).ToHaveCountAsync(4);
        var asked = new List<string>();
        window.Page.Request += (_, request) => asked.Add(request.Url);
        await window["#sheet li >> nth=2"].ClickAsync();
        await Expect(window["#compare-error"]).ToContainTextAsync("The URL leads to a private network");
        await Expect(window["#compare-facts"]).ToContainTextAsync("http://10.1.2.3/lamp.jpg");
        await Expect(window["#compare-facts a"]).ToHaveCountAsync(0);
        await window["#compare-close"].ClickAsync();
        Assert.DoesNotContain(asked, url => url.Contains("10.1.2.3", StringComparison.Ordinal));

        var failed = await window.Page.RunAndWaitForDownloadAsync(() => window["#get-failed"].ClickAsync());
        Assert.Equal(3, (await File.ReadAllLinesAsync(await failed.PathAsync(), Cancelled)).Length);
        origin.Serve("/mug-side.jpg", Picture.Jpeg).Serve("/lamp-old.jpg", Picture.Jpeg);
        await Expect(window["#retry"]).ToHaveTextAsync("Retry 4 failed images");
        await window["#retry"].ClickAsync();
        await Expect(window["#errors-title"]).ToHaveTextAsync("2 images failed");
        await window.EndsAsync();
        await Expect(window["#done"]).ToHaveTextAsync("4");

        await window["#delete"].ClickAsync();
        await window["#confirm button[value=no]"].ClickAsync();
        await window["#delete"].ClickAsync();
        await window["#confirm-yes"].ClickAsync();
        await Expect(window["#requests-none"]).ToBeVisibleAsync();
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await server.Client.GetAsync($"status/{id}", Cancelled)).StatusCode);
    }

    [Fact]
    public async Task An_opened_image_is_shown_when_it_is_done_however_late_its_answer_comes()
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/held.jpg", async context =>
        {
            await held.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
        });
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await using var window = await browser.OpenAsync(server);
        await window.StartAsync($"{Header}1,Mug,{origin.Url("held.jpg")}\n");
        await window["#sheet li >> nth=0"].ClickAsync();
        await Expect(window["#compare-facts"]).ToContainTextAsync("Statewaiting");

        await window.Page.RouteAsync("**/images?*", async route =>
        {
            await released.Task;
            await route.ContinueAsync();
        });
        held.SetResult();
        await window.EndsAsync();
        // As long as the sheet needs to look for it once more.
        await window.Page.WaitForTimeoutAsync(1_200);
        released.SetResult();

        await Expect(window["#compare-facts"]).ToContainTextAsync("pixels, JPEG");
    }

    [Fact]
    public async Task A_page_that_loses_its_server_says_so_and_goes_on_when_it_is_back()
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await ServeSamplesAsync();
        origin.Serve("/held.jpg", async context =>
        {
            await held.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted);
        });
        var address = ("Urls", $"http://127.0.0.1:{FreePort.Find()}");
        var folder = Directory.CreateTempSubdirectory("halftone-test-").FullName;
        var server = await HalftoneServer.StartAsync(Cancelled, folder, address);
        await using (var window = await browser.OpenAsync(server))
        {
            await window.StartAsync($"{Header}1,Mug,\"{origin.Url("mug-front.jpg")},{origin.Url("held.jpg")}\"\n");
            await Expect(window["#done"]).ToHaveTextAsync("1");
            await Expect(window["#request-state"]).ToHaveTextAsync("Running");
            await Expect(window["#connection"]).ToBeHiddenAsync();

            await server.StopAsync(Cancelled);
            await server.DisposeAsync();
            await Expect(window["#connection"]).ToHaveTextAsync("The connection to the server was lost. Reconnecting…");
            await using var again = await HalftoneServer.StartAsync(Cancelled, folder, address);
            await Expect(window["#connection"]).ToBeHiddenAsync();
            await Expect(window["#waiting-name"]).ToHaveTextAsync("Waiting");
            await Expect(window["#sheet li >> nth=1"]).ToContainTextAsync("waiting");
            await window["#cancel"].ClickAsync();
            await window.EndsAsync("Cancelled");
            await Expect(window["#waiting-name"]).ToHaveTextAsync("Not done");
            await Expect(window["#sheet li >> nth=1"]).ToContainTextAsync("not done");
            await window["#sheet li >> nth=1"].ClickAsync();
            await Expect(window["#compare-facts"]).ToContainTextAsync("not done, because the run was cancelled");
            await window["#compare-close"].ClickAsync();
            await Expect(window["#retry"]).ToHaveTextAsync("Resume (1 left)");
            await window["#retry"].ClickAsync();

            // An image that is opened while it waits is shown when it is done, and the keyboard stays where it was.
            await window["#sheet li >> nth=1"].ClickAsync();
            await Expect(window["#compare-facts"]).ToContainTextAsync("Statewaiting");
            await Expect(window["#compare-name"]).ToBeFocusedAsync();
            held.SetResult();
            await Expect(window["#compare-facts"]).ToContainTextAsync("pixels, JPEG");
            await Expect(window["#compare-stage"]).ToBeVisibleAsync();
            await Expect(window["#compare-name"]).ToBeFocusedAsync();
            await window["#compare-close"].ClickAsync();
            await window.EndsAsync();
            await Expect(window["#done"]).ToHaveTextAsync("2");
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task An_upload_whose_answer_was_lost_is_started_again_under_its_key_until_the_first_has_its_answer()
    {
        const string Csv = Header + "1,Mug,\n";
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await using var window = await browser.OpenAsync(server);
        var keys = new List<string>();
        // Within the route it would be that of the test that opened the browser, which may have ended.
        var cancelled = Cancelled;
        await window.Page.RouteAsync("**/upload", async route =>
        {
            if (!route.Request.Headers.TryGetValue("idempotency-key", out var key))
            {
                // The preview.
                await route.ContinueAsync();
                return;
            }

            keys.Add(key);
            if (keys.Count == 1)
            {
                // It is taken in, and its answer lost.
                server.Client.DefaultRequestHeaders.Add("Idempotency-Key", key);
                await server.UploadAsync(Csv, cancelled);
                await route.AbortAsync();
                return;
            }

            await (keys.Count switch
            {
                2 => route.FulfillAsync(new() { Status = 429, Json = new { code = "too_many_calls", detail = "Too many." } }),
                3 or 4 => route.FulfillAsync(new() { Status = 409, Json = new { code = "idempotency_key_in_use", detail = "Still being taken in." } }),
                _ => route.ContinueAsync(),
            });
        });

        await window.GiveAsync(Csv);
        await window["#start-button"].ClickAsync();
        await Expect(window["#start-trouble"]).ToContainTextAsync("The server is not answering.");
        await window["#start-button"].ClickAsync();
        await Expect(window["#start-trouble"]).ToContainTextAsync("Too many.");
        await window.PressStartAsync();
        Assert.Equal((5, 1), (keys.Count, keys.Distinct().Count()));
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM request", Cancelled));
    }

    [Fact]
    public async Task A_server_with_keys_asks_for_one_which_stays_in_the_tab_and_out_of_every_address()
    {
        await using var origin = await ServeSamplesAsync();
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var key = await server.Services.GetRequiredService<ApiKeys>().AddAsync("team", Cancelled);
        await using var window = await browser.OpenAsync(server);
        var addresses = new List<string>();
        window.Page.Request += (_, request) => addresses.Add(request.Url);
        await Expect(window["#key-title"]).ToHaveTextAsync("This server requires an API key");
        await window.PictureAsync("key");
        await window.IsForEverybodyAsync("asking for a key");
        await window["#key-text"].FillAsync("ht_wrong");
        await window.Page.Keyboard.PressAsync("Enter");
        await Expect(window["#key-title"]).ToHaveTextAsync("This key was not accepted");
        await window["#key-text"].FillAsync(key);
        await window.Page.Keyboard.PressAsync("Enter");
        await Expect(window["#requests-none"]).ToBeVisibleAsync();

        await window.StartAsync($"{Header}1,Mug,{origin.Url("mug-front.jpg")}\n");
        await window.EndsAsync();
        await Expect(window["#sheet img.there"]).ToHaveCountAsync(1);
        var download = await window.Page.RunAndWaitForDownloadAsync(() => window["#get-csv"].ClickAsync());
        Assert.Equal("products-result.csv", download.SuggestedFilename);
        Assert.Contains("/images/", await File.ReadAllTextAsync(await download.PathAsync(), Cancelled), StringComparison.Ordinal);

        Assert.DoesNotContain(addresses, url => url.Contains(key, StringComparison.Ordinal));
        Assert.Equal(0, await window.Page.EvaluateAsync<int>("() => localStorage.length + document.cookie.length"));
        await window.Page.ReloadAsync();
        await Expect(window["#done"]).ToHaveTextAsync("1");
        await window["#forget-key"].ClickAsync();
        await Expect(window["#key-title"]).ToHaveTextAsync("This server requires an API key");
    }

    [Fact]
    public async Task The_keyboard_alone_leads_from_the_file_to_the_comparison_and_back()
    {
        await using var origin = await ServeSamplesAsync();
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await using var window = await browser.OpenAsync(server);
        var keyboard = window.Page.Keyboard;
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, SampleCsv(origin), Cancelled);

        await keyboard.PressAsync("Tab");
        await Expect(window[".skip"]).ToBeFocusedAsync();
        await keyboard.PressAsync("Enter");
        await Expect(window["#main"]).ToBeFocusedAsync();
        await keyboard.PressAsync("Tab");
        await Expect(window["#file"]).ToBeFocusedAsync();
        // Enter asks for a file. Whether a dialog then opens is the browser's affair, and on a busy machine it sometimes does not.
        await window.Page.EvaluateAsync("() => document.getElementById('file').addEventListener('click', event => { event.preventDefault(); window.asksForFile = event.isTrusted; })");
        await keyboard.PressAsync("Enter");
        await window.Page.WaitForFunctionAsync("() => window.asksForFile");
        await window["#file"].SetInputFilesAsync(file);
        await Expect(window["#preview-name"]).ToBeFocusedAsync();
        await TabToAsync(window, "#start-button");
        await keyboard.PressAsync("Enter");
        await Expect(window["#request-name"]).ToBeFocusedAsync();
        await window.EndsAsync();

        await TabToAsync(window, "#sheet button");
        await keyboard.PressAsync("ArrowRight");
        await keyboard.PressAsync("ArrowDown");
        await Expect(window["#sheet li[data-at='6'] button"]).ToBeFocusedAsync();
        await keyboard.PressAsync("End");
        await Expect(window["#sheet li[data-at='11'] button"]).ToBeFocusedAsync();
        await keyboard.PressAsync("Home");
        await keyboard.PressAsync("Enter");
        await Expect(window["#slide"]).ToBeFocusedAsync();
        await keyboard.PressAsync("ArrowRight");
        Assert.Equal("51%", await PartAsync(window));
        await keyboard.PressAsync("Escape");
        await Expect(window["#compare"]).ToBeHiddenAsync();
        await Expect(window["#sheet li[data-at='0'] button"]).ToBeFocusedAsync();
        await TabBackToAsync(window, ".crumb a");
        await keyboard.PressAsync("Enter");
        await Expect(window["#home h1"]).ToBeFocusedAsync();
        File.Delete(file);
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 320)]
    public async Task No_view_keeps_anybody_out_in_light_or_dark_on_a_desk_or_a_phone(ColorScheme scheme, int width)
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(204, Cancelled);
        await using var origin = await ServeSamplesAsync();
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await using var window = await browser.OpenAsync(server, "", new() { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce, ViewportSize = new() { Width = width, Height = 800 } });
        await window.GiveAsync(Header + "1,Mug,shop.example/mug.jpg\n2,Lamp,https://shop.example/lamp.jpg,too many\n");
        await Expect(window["#problems-title"]).ToHaveTextAsync("2 problems");
        await window.IsForEverybodyAsync("problems");

        await window.GiveAsync(SampleCsv(origin) + $"7,Gone,{origin.Url("gone.jpg")}\n");
        await window["#options summary"].ClickAsync();
        await window["#webhook-url"].FillAsync(receiver.Url().AbsoluteUri);
        await window.IsForEverybodyAsync("the preview");
        await window["#start-button"].ClickAsync();
        await window.EndsAsync();
        await receiver.NextAsync(Cancelled);
        await Expect(window["#errors-list li"]).ToHaveCountAsync(1);
        await window.IsForEverybodyAsync("a request");
        await window["#sheet button >> nth=0"].ClickAsync();
        await Expect(window["#compare"]).ToBeVisibleAsync();
        await window.IsForEverybodyAsync("before and after");
        await window["#compare-close"].ClickAsync();
        await window["#delete"].ClickAsync();
        await window.IsForEverybodyAsync("the question before deleting");
        await window["#confirm button[value=no]"].ClickAsync();
        await window["#requests a, .crumb a"].First.ClickAsync();
        await Expect(window["#requests li"]).ToHaveCountAsync(1);
        await window.IsForEverybodyAsync("the list");

        await window["[data-nav=webhooks]"].ClickAsync();
        await window["#callback"].FillAsync("https://10.0.0.1/hook");
        await window["#register button"].ClickAsync();
        await Expect(window["#register-trouble"]).ToHaveTextAsync(
            "'callback_url' cannot be used (address_forbidden). It leads to a private network, which this server does not access. Use a URL on the internet, or ask the administrator of this server to allow that network.");
        await window.IsForEverybodyAsync("a refused webhook");
    }

    [Fact]
    public async Task On_a_phone_a_wide_table_of_the_documentation_scrolls_and_the_page_does_not()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await using var window = await browser.OpenAsync(server, "docs/operations", new() { ViewportSize = new() { Width = 390, Height = 844 } });
        Assert.True(await window.Page.EvaluateAsync<bool>("() => [...document.querySelectorAll('.scroll')].some(box => box.scrollWidth > box.clientWidth)"));
        var wide = new List<string>();
        foreach (var page in Directory.EnumerateFiles(Path.Combine(Script.Repository, "docs"), "*.md").Select(path => Path.GetFileNameWithoutExtension(path)))
        {
            await window.Page.GotoAsync($"docs/{page}");
            if (await window.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth > window.innerWidth"))
            {
                wide.Add(page);
            }
        }

        Assert.Equal([], wide);
    }

    [Fact]
    public async Task Webhooks_are_registered_tested_listened_in_on_and_removed()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(204, Cancelled);
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await using var window = await browser.OpenAsync(server, "#/webhooks", new() { ColorScheme = ColorScheme.Dark });
        await Expect(window["#webhooks-none"]).ToBeVisibleAsync();
        await window["#callback"].FillAsync(receiver.Url().AbsoluteUri);
        await window["#register button"].ClickAsync();
        await Expect(window["#secret-text"]).ToContainTextAsync("whsec_");
        await window.Page.GetByText("Send a test", new() { Exact = true }).ClickAsync();
        var (_, ping) = await receiver.NextAsync(Cancelled);
        Assert.Equal("webhook.ping", JsonDocument.Parse(ping).RootElement.GetProperty("type").GetString());
        await Expect(window["#webhook-list [role=status]"]).ToHaveTextAsync("The test was delivered.");
        await Expect(window["#webhook-list .attempts"]).ToContainTextAsync("answered 204");
        await window.IsForEverybodyAsync("webhooks");
        await window.PictureAsync("webhooks");

        await window["[data-nav=home]"].ClickAsync();
        await window.StartAsync(Header + "1,Mug,\n");
        await window.EndsAsync();
        await receiver.NextAsync(Cancelled);
        await Eventually.TrueAsync(async () =>
        {
            await window.Page.ReloadAsync();
            return await window["#told-log"].GetByText("delivered").CountAsync() == 1;
        });
        await window["#replay"].ClickAsync();
        await receiver.NextAsync(Cancelled);
        await window["[data-nav=webhooks]"].ClickAsync();
        await window.Page.GetByText("Remove", new() { Exact = true }).ClickAsync();
        await window["#confirm-yes"].ClickAsync();
        await Expect(window["#webhooks-none"]).ToBeVisibleAsync();
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM delivery", Cancelled));
    }

    [Fact]
    public async Task A_hundred_thousand_images_are_a_few_dozen_elements()
    {
        await using var origin = await ServeSamplesAsync();
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var urls = Picture.SampleNames.Select(name => origin.Url(name)).ToArray();
        var id = await server.UploadAsync(Header + string.Concat(Enumerable.Range(1, 100_000).Select(i => $"{i},Product {i},{urls[i % urls.Length]}\n")), Cancelled);
        await server.WaitForEndAsync(id, Cancelled);
        await using var window = await browser.OpenAsync(server, $"#/requests/{id}");
        await Expect(window["#done"]).ToHaveTextAsync("100,000");
        await Expect(window["#sheet img.there"]).Not.ToHaveCountAsync(0);

        await window["#sheet button"].First.FocusAsync();
        await window.Page.Keyboard.PressAsync("End");
        await Expect(window["#sheet li[data-at='99999'] .name"]).ToHaveTextAsync("Product 100000");
        await Expect(window["#sheet li[data-at='99999'] button"]).ToBeFocusedAsync();
        for (var at = 0; at <= 40; at++)
        {
            await window.Page.EvaluateAsync($"() => scrollTo(0, document.documentElement.scrollHeight * {at} / 40)");
        }

        await Expect(window["#sheet img.there"]).Not.ToHaveCountAsync(0);
        Assert.InRange(await window["#sheet li"].CountAsync(), 10, 80);
        Assert.InRange(await window.Page.EvaluateAsync<int>("() => document.getElementsByTagName('*').length"), 100, 1_000);
        await window.Page.Keyboard.PressAsync("Home");
        await Expect(window["#sheet li[data-at='0'] .name"]).ToHaveTextAsync("Product 1");
    }

    private static Task<string> PartAsync(Browser.Window window) => window.Page.EvaluateAsync<string>("() => document.getElementById('frame').style.getPropertyValue('--part')");

    private static Task TabToAsync(Browser.Window window, string selector) => PressUntilAsync(window, "Tab", selector);

    private static Task TabBackToAsync(Browser.Window window, string selector) => PressUntilAsync(window, "Shift+Tab", selector);

    private static async Task PressUntilAsync(Browser.Window window, string key, string selector)
    {
        for (var presses = 0; presses < 30; presses++)
        {
            await window.Page.Keyboard.PressAsync(key);
            if (await window.Page.EvaluateAsync<bool>("selector => document.activeElement.matches(selector)", selector))
            {
                return;
            }
        }

        Assert.Fail($"{key} does not lead to {selector}");
    }

    private static async Task<ImageOrigin> ServeSamplesAsync(Action<HttpContext>? onRequest = null)
    {
        var origin = await ImageOrigin.StartAsync(Cancelled);
        foreach (var name in Picture.SampleNames)
        {
            var bytes = Picture.Sample(name);
            origin.Serve("/" + name, context =>
            {
                onRequest?.Invoke(context);
                context.Response.ContentType = FormatName.ContentTypeOf(name);
                return context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
            });
        }

        return origin;
    }

    private static string SampleCsv(ImageOrigin origin) =>
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "samples", "products.csv")).Replace("http://images.example/", origin.Address.AbsoluteUri, StringComparison.Ordinal);
}

using Halftone.Bench;

// One file per stage; the first argument names it.
return args switch
{
    ["jpeg", var folder, .. var options] => JpegBench.Run(folder, options),
    ["jpeg-quality", var folder, .. var options] => JpegQualityBench.Run(folder, options),
    ["csv", var rows] => await CsvBench.RunAsync(Number(rows)),
    ["png", var folder, .. var options] => PngBench.Run(folder, options),
    ["faults", var folder, var images] => await FaultsBench.RunAsync(folder, Number(images)),
    ["webp", var folder, .. var options] => WebpBench.Run(folder, options),
    ["resize", var folder, var modules, .. var options] => ResizeBench.Run(folder, modules, options),
    ["parts", var jpeg, var png] => CodecParts.Run(jpeg, png),
    ["intake", var program, var urls, .. var database] => await IntakeBench.RunAsync(program, Number(urls), database.FirstOrDefault()),
    ["record", var database, var recorders, var images] => await RecordBench.RunAsync(database, Number(recorders), Number(images)),
    ["reruns", var program, var folder, var images, .. var options] =>
        await RerunBench.RunAsync(program, folder, Number(images), !options.Contains("--without-tags")),
    ["load", var url, var processes, var folder, var images, .. var latency] =>
        await LoadBench.RunAsync(url, processes, folder, Number(images), Number(latency.FirstOrDefault() ?? "0")),
    ["vips-settings", var folder, .. var options] => VipsSettingsBench.Run(folder, options),
    ["pictures", .. var folders] when folders.Length > 0 => PicturesBench.Run(folders),
    _ => Usage(),
};

static int Number(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

static int Usage()
{
    Console.Error.WriteLine("""
        usage: dotnet run -c Release --project bench/Halftone.Bench -- STAGE …
          jpeg FOLDER [--rounds N] [--q Q] [--save FOLDER] [--style S]   every *.jpg in the DCT domain, beside the classic style:
                                                             CPU-ms, bytes
          jpeg-quality FOLDER [--q Q] [--every N]            bytes of the styles at equal PSNR, SSIM, SSIMULACRA 2 and butteraugli
          csv ROWS                                           a file of ROWS products with an image each: read, checked, its result written;
                                                             CPU and peak memory
          png FOLDER [--rounds N] [--q Q] [--save FOLDER]    every *.png beside libvips's own palette: a table in Markdown
          faults FOLDER IMAGES                               page faults and CPU-ms an image in a codec child, by format: a table in
                                                             Markdown
          webp FOLDER [--rounds N] [--q Q] [--effort N]      every lossy *.webp, or *.jpg if there is none, beside libwebp: tables
          resize FOLDER MODULES [--rounds N] [--every N]     every image into boxes of 1000, 500 and 200 pixels, beside
                                                             MODULES/node_modules/sharp: a table in Markdown
          parts JPEG PNG                                     each step of the two codecs on one baseline JPEG and one PNG (BenchmarkDotNet)
          intake PROGRAM URLS [DATABASE]                     an upload of URLS into the published PROGRAM on SQLite, or on PostgreSQL by its
                                                             connection string
          record DATABASE RECORDERS IMAGES                   outcomes of one request of IMAGES into PostgreSQL by RECORDERS at a time
          reruns PROGRAM FOLDER IMAGES [--without-tags]      a catalogue of IMAGES, files of FOLDER, uploaded four times into the published
                                                             PROGRAM
          load URL PROCESSES FOLDER IMAGES [LATENCY_MS]      IMAGES, files of FOLDER, through running servers; "Halftone.Crash serve" starts
                                                             a cluster and tells URL and PROCESSES
          vips-settings FOLDER [--rounds N] [--every N] [--every-avif N]   WebP, GIF and AVIF at each effort: a table in Markdown
          pictures FOLDER…                                   every picture below the folders, judged by Pillow and avifdec: a table
        """);
    return 2;
}

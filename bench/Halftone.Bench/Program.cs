using Halftone.Bench;

// One file per stage; the first argument names it.
return args switch
{
    ["jpeg", var folder, .. var options] => JpegBench.Run(folder, options),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        usage: dotnet run -c Release --project bench/Halftone.Bench -- STAGE …
          jpeg FOLDER [--rounds N] [--q Q] [--save FOLDER]   every *.jpg in the DCT domain: CPU-ms per image, bytes, reasons
        """);
    return 2;
}

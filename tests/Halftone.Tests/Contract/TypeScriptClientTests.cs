using Halftone.Tests.Servers;

namespace Halftone.Tests.Contract;

/// <summary>
/// The client of <c>clients/typescript</c>: its types are made from the contract, its example is compiled and run against the real server.
/// </summary>
public sealed class TypeScriptClientTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_made_from_the_contract_compiles_and_takes_a_CSV_to_its_end()
    {
        var packages = Path.Combine(Script.Repository, "tests", "node", "node_modules");
        Assert.SkipUnless(Directory.Exists(packages), "The packages of tests/node are not installed; ./test does it.");
        // Below the packages, where Node and the compiler look for them.
        var folder = Directory.CreateDirectory(Path.Combine(packages, $".halftone-client-{Environment.ProcessId}")).FullName;
        try
        {
            var output = await CompileAsync(folder);
            await using var origin = await ImageOrigin.StartAsync(Cancelled);
            origin.Serve("/a.jpg", Picture.Jpeg);
            await using var server = await HalftoneServer.StartAsync(Cancelled);
            var csv = Path.Combine(folder, "products.csv");
            await File.WriteAllTextAsync(
                csv, $"S. No.,Product Name,Input Image Urls\n1,A,{origin.Url("a.jpg")}\n2,B,{origin.Url("missing.jpg")}\n", Cancelled);

            var lines = await Script.NodeAsync(
                Path.Combine(output, "example.js"), "", Cancelled, server.Client.BaseAddress!.AbsoluteUri.TrimEnd('/'), csv);

            Assert.Equal(["COMPLETED: 1 of 2 images", $"{origin.Url("missing.jpg")}: http_status"], lines);
            Assert.Equal(
                1, await server.CountAsync("SELECT count(*) FROM request WHERE quality = 40 AND file_name = 'products.csv'", Cancelled));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> CompileAsync(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Script.Repository, "clients", "typescript"), "*.ts"))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), """{ "type": "module" }""", Cancelled);
        var contract = Path.Combine(folder, "contract.ts");
        await Script.NpmAsync(
            "openapi-typescript/bin/cli.js",
            [Path.Combine(Script.Repository, "docs", "openapi.json"), "--default-non-nullable=false", "-o", contract],
            Cancelled);
        var output = Path.Combine(folder, "out");
        await Script.NpmAsync(
            "typescript/bin/tsc",
            [
                "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--types", "node", "--outDir", output, contract,
                Path.Combine(folder, "halftone.ts"), Path.Combine(folder, "example.ts"),
            ],
            Cancelled);
        return output;
    }
}

using System.Globalization;
using System.Text;
using Dapper;
using Halftone.Database;
using Halftone.Intake;
using Halftone.Model;
using Halftone.Pipeline;
using Halftone.Queue;
using Halftone.Requests;
using Halftone.Store;
using Halftone.Tests.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Tests.Requests;

/// <summary>
/// Tries every move from every state on a real database, through the code that makes it. What happens is what the tables in docs/design.md
/// list, no move more and none less.
/// </summary>
public abstract class StateWalkTests(Engine engine) : OnEachEngine(engine)
{
    private const int Run = 3;
    private const string Upload = "Product Name,Input Image Urls\nA,http://a.example/1.jpg\nB,http://a.example/2.jpg\n";
    private static readonly string[] RequestStates = ["receiving", "pending", "processing", "cancelling", "completed", "failed", "cancelled", "deleting"];
    private static readonly string[] RequestMoves = ["promise", "plan", "cancel", "finish", "retry", "delete", "remove", "restart", "abandon"];

    /// <summary>What may have become of the two images.</summary>
    private static readonly string[][] Images = [["pending", "pending"], ["completed", "pending"], ["completed", "failed"], ["completed", "completed"], ["failed", "failed"]];

    private WebApplication server = null!;
    private HalftoneDatabase database = null!;
    private OutcomeRecorder recorder = null!;
    private int made;

    protected override async ValueTask SetUpAsync()
    {
        server = Build();
        (database, recorder) = (Get<HalftoneDatabase>(), Get<OutcomeRecorder>());
        await Get<Migrator>().MigrateAsync(Cancelled);
        await recorder.StartAsync(Cancelled);
    }

    protected override async ValueTask TearDownAsync()
    {
        await recorder.StopAsync(CancellationToken.None);
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_request_moves_as_listed_and_in_no_other_way()
    {
        var seen = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var state in RequestStates)
        {
            foreach (var images in Images.Where(images => IsPossible(state, images)))
            {
                foreach (var move in RequestMoves.Where(move => move != "promise" || state == "receiving"))
                {
                    var id = await MakeAsync(state, images);
                    await MoveAsync(move, id, Run);
                    var now = await StateOfAsync(id) ?? "none";
                    if (now != state)
                    {
                        seen.Add($"{state} --> {now}: {move}");
                    }

                    await ForgetAsync(id);
                }
            }
        }

        Assert.Equal(Listed("States of a request"), seen);
    }

    [Fact]
    public async Task Messages_of_an_older_run_move_no_request_and_no_image()
    {
        foreach (var state in RequestStates.Where(state => state != "receiving"))
        {
            foreach (var images in Images.Where(images => IsPossible(state, images)))
            {
                foreach (var move in new[] { "plan", "finish", "remove", "complete", "fail" })
                {
                    var id = await MakeAsync(state, images);
                    await MoveAsync(move, id, Run - 1);
                    Assert.Equal(state, await StateOfAsync(id));
                    Assert.Equal(images, await ImagesOfAsync(id));
                    await ForgetAsync(id);
                }
            }
        }
    }

    [Fact]
    public async Task An_image_moves_as_listed_and_in_no_other_way_and_only_while_its_request_is_open()
    {
        var seen = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var state in RequestStates.Where(state => state is not "receiving"))
        {
            foreach (var images in Images.Where(images => IsPossible(state, images)))
            {
                foreach (var move in new[] { "complete", "fail", "retry", "undo" })
                {
                    var id = await MakeAsync(state, images);
                    await MoveAsync(move, id, Run);
                    var now = await ImagesOfAsync(id);
                    foreach (var (before, after) in images.Zip(now).Where(pair => pair.First != pair.Second))
                    {
                        seen.Add($"{before} --> {after}: {move}");
                        var allowed = move switch
                        {
                            "complete" or "fail" => state is "pending" or "processing",
                            "undo" => state is "pending" or "processing" or "cancelling",
                            _ => state is "completed" or "failed" or "cancelled",
                        };
                        Assert.True(allowed, $"{move} changed an image of a {state} request.");
                    }

                    await ForgetAsync(id);
                }
            }
        }

        Assert.Equal(Listed("States of an image"), seen);
    }

    /// <summary>The moves in a table of docs/design.md; those that begin a row of the database are left out.</summary>
    private static SortedSet<string> Listed(string chapter)
    {
        var page = File.ReadAllText(Path.Combine(Script.Repository, "docs", "design.md"));
        var rows = page.Split($"\n### {chapter}\n", 2)[1].Split("\n| --- ", 2)[1].Split('\n')[1..].TakeWhile(line => line.StartsWith('|'));
        var edges = rows.Select(row => row.Split('|', StringSplitOptions.TrimEntries)).SelectMany(cells =>
            from origin in cells[2].Split(", ")
            from target in cells[3].Split(", ")
            where origin != "none"
            select $"{origin} --> {target}: {cells[1]}");
        return new(edges, StringComparer.Ordinal);
    }

    /// <summary>What the table's own checks allow.</summary>
    private static bool IsPossible(string state, string[] images) => state switch
    {
        "receiving" => images.All(image => image == "pending"),
        "completed" => !images.Contains("pending") && images.Contains("completed"),
        "failed" => images.All(image => image == "failed"),
        _ => true,
    };

    private Task MoveAsync(string move, Guid id, int run) => move switch
    {
        "promise" => Get<RequestIntake>().PromiseAsync(id, 2, Cancelled),
        "plan" => Get<Planner>().HandleAsync(new Message.Plan { RequestId = id, Run = run, After = 0 }, new NoSlot(), Cancelled),
        "cancel" => Get<RequestActions>().CancelAsync("", id, Cancelled),
        "finish" => Get<RequestCompletion>().HandleAsync(new Message.Finish { RequestId = id, Run = run }, Cancelled),
        "retry" => Get<RequestActions>().RetryAsync("", id, Cancelled),
        "delete" => Get<RequestActions>().DeleteAsync("", id, Cancelled),
        "abandon" => Get<AbandonedUploads>().SweepAsync(Cancelled),
        "remove" => Get<RequestRemoval>().HandleAsync(new Message.Delete { RequestId = id, Run = run }, Cancelled),
        "restart" or "undo" => Get<Replan>().RunAsync(looksAtFiles: true, Cancelled),
        "complete" => RecordAsync(id, imageId => Completed(id, run, imageId)),
        "fail" => RecordAsync(id, imageId => new RunOutcome.Failed { RequestId = id, Run = run, ImageId = imageId, ErrorCode = "http_status", HttpStatus = 404, Host = "a.example" }),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private async Task RecordAsync(Guid id, Func<long, RunOutcome> outcomeOf)
    {
        foreach (var imageId in await database.ReadAsync(c => c.QueryAsync<long>("SELECT first_image_id FROM request WHERE request_id = @id UNION SELECT first_image_id + 1 FROM request WHERE request_id = @id", new { id }), Cancelled))
        {
            await recorder.RecordAsync(outcomeOf(imageId), Cancelled);
        }
    }

    private static RunOutcome.Completed Completed(Guid id, int run, long imageId) => new()
    {
        RequestId = id,
        Run = run,
        ImageId = imageId,
        ObjectKey = ObjectKey.ForImage(id, "a-1", "jpg"),
        BytesIn = 2,
        BytesOut = 1,
        KeptOriginal = false,
        Width = 1,
        Height = 1,
        ContentHash = "",
        FetchMs = 0,
        CompressMs = 0,
        StoreMs = 0,
    };

    /// <summary>A request with two images in the given states; its completed images have no files, so that a restart undoes them.</summary>
    private async Task<Guid> MakeAsync(string state, string[] images)
    {
        var id = Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
        var first = 10 * ++made;
        var uploadKey = ObjectKey.ForFile(id, "upload", "csv");
        await Get<IFileStore>().PutAsync(uploadKey, Encoding.UTF8.GetBytes(Upload), "text/csv", Cancelled);
        await using var reader = await Get<IFileStore>().OpenReadAsync(uploadKey, Cancelled);
        var csv = await ProductCsvReader.OpenAsync(reader!, new IntakeOptions(), Cancelled);
        Assert.Equal(2, await csv.ReadRowsAsync(Cancelled).CountAsync(Cancelled));
        var isClosed = state is "completed" or "failed" or "cancelled";
        await database.WriteAsync(
            async transaction =>
            {
                var connection = transaction.Connection!;
                await connection.ExecuteAsync(
                    """
                    INSERT INTO request (request_id, owner, file_name, state, run, first_product_id, products, first_image_id, images, completed, failed, bytes_in, bytes_out,
                                         quality, dialect, upload_key, result_key, created_at, updated_at, finished_at)
                    VALUES (@id, '', 'a.csv', @state, @Run, @first, 2, @first, 2, @completed, @failed, 2 * @completed, @completed, 50, @dialect, @uploadKey, @resultKey, 1, 1, @finished)
                    """,
                    new
                    {
                        id,
                        state,
                        Run,
                        first,
                        completed = images.Count(image => image == "completed"),
                        failed = images.Count(image => image == "failed"),
                        dialect = csv.Dialect!.ToString(),
                        uploadKey,
                        resultKey = isClosed ? ObjectKey.ForFile(id, "result", "csv") : null,
                        finished = isClosed ? 1 : (long?)null,
                    },
                    transaction);
                foreach (var (index, image) in images.Index())
                {
                    await connection.ExecuteAsync(
                        """
                        INSERT INTO product (product_id, request_id, line, serial_number, product_name, first_image_id, images, created_at, updated_at)
                        VALUES (@row, @id, @line, '1', 'A', @row, 1, 1, 1);
                        INSERT INTO image (image_id, product_id, input_url, state, error_code, object_key, bytes_in, bytes_out, created_at, updated_at)
                        VALUES (@row, @row, @url, @image, @error, @key, @bytesIn, @bytesOut, 1, 1)
                        """,
                        new
                        {
                            row = first + index,
                            id,
                            line = index + 2,
                            url = string.Create(CultureInfo.InvariantCulture, $"http://a.example/{index}.jpg"),
                            image,
                            error = image == "failed" ? "http_status" : null,
                            key = image == "completed" ? ObjectKey.ForImage(id, "a-1", "jpg") : null,
                            bytesIn = image == "completed" ? 2 : (int?)null,
                            bytesOut = image == "completed" ? 1 : (int?)null,
                        },
                        transaction);
                }
            },
            Cancelled);
        return id;
    }

    private Task<string?> StateOfAsync(Guid id) => database.ReadAsync(c => c.ExecuteScalarAsync<string?>("SELECT state FROM request WHERE request_id = @id", new { id }), Cancelled);

    private async Task<string[]> ImagesOfAsync(Guid id) =>
        [.. await database.ReadAsync(c => c.QueryAsync<string>("SELECT i.state FROM image i JOIN product p ON p.product_id = i.product_id WHERE p.request_id = @id ORDER BY i.image_id", new { id }), Cancelled)];

    private Task ForgetAsync(Guid id) => RequestRows.DeleteAsync(database, id, Cancelled);

    private T Get<T>()
        where T : notnull => server.Services.GetRequiredService<T>();

    private sealed class NoSlot : IWorkSlot
    {
        public void GiveBack()
        {
        }

        public ValueTask TakeAgainAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}

public sealed class StateWalkOnSqlite() : StateWalkTests(Engine.Sqlite);

public sealed class StateWalkOnPostgres() : StateWalkTests(Engine.Postgres);

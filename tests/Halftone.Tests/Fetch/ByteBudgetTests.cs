using Halftone.Fetch;
using Microsoft.Extensions.Options;

namespace Halftone.Tests.Fetch;

public class ByteBudgetTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public async Task A_body_of_stated_length_takes_that_and_gives_it_back()
    {
        var budget = NewBudget(256, 64);

        var body = await FillAsync(budget, 200_000, 200_000);
        Assert.InRange(budget.HeldBytes, 200_000, 200_000 + Environment.SystemPageSize);
        Assert.Equal(200_000, body.Bytes.Length);
        body.Dispose();
        body.Dispose();

        Assert.Equal(0, budget.HeldBytes);
        Assert.Throws<ObjectDisposedException>(() => body.Bytes);
    }

    [Fact]
    public async Task A_body_keeps_its_bytes_while_it_grows()
    {
        var budget = NewBudget(256, 64);

        using var body = await FillAsync(budget, null, 3 * MiB);

        var wrong = Enumerable.Range(0, 3 * MiB).Count(index => body.Bytes.Span[index] != (byte)(index * 31));
        Assert.Equal(0, wrong);
        Assert.Equal(4 * MiB, budget.HeldBytes);
    }

    [Fact]
    public async Task Memory_is_held_for_bytes_that_came_and_not_for_lengths_that_were_claimed()
    {
        var budget = NewBudget(256, 64);
        using var buffer = await budget.RentAsync(64 * MiB, TestContext.Current.CancellationToken);

        Assert.InRange(budget.HeldBytes, 1, MiB);
    }

    [Fact]
    public async Task Many_bodies_that_grow_at_once_all_end_within_the_budget()
    {
        const int limit = 16;
        var budget = NewBudget(limit, 4);
        var most = 0L;
        var bodies = Enumerable.Range(0, 80).Select(number => Task.Run(async () =>
        {
            // Every fourth states its length, the others do not; all but a few want as much as is allowed.
            var length = number % 7 == 0 ? 300_000 : (4 * MiB) - number;
            using var body = await FillAsync(budget, number % 4 == 0 ? length : null, length);
            InterlockedMax(ref most, budget.HeldBytes);
            await Task.Yield();
            Assert.Equal(length, body.Bytes.Length);
        }));

        await Task.WhenAll(bodies).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

        Assert.Equal(0, budget.HeldBytes);
        Assert.Equal(0, budget.WaitingCount);
        Assert.InRange(most, 1, limit * MiB);
    }

    [Fact]
    public async Task Bodies_that_grow_in_turns_do_not_lock_each_other_up()
    {
        // The share for growing is 12 MiB and a body needs 4 MiB: eight cannot all be half way.
        var budget = NewBudget(16, 4);
        var buffers = new List<BodyBuffer>();
        for (var number = 0; number < 8; number++)
        {
            buffers.Add(await budget.RentAsync(null, TestContext.Current.CancellationToken));
        }

        // All ask for their next doubling before any is served again, round by round, until all have waited.
        var growing = buffers.Select(async buffer =>
        {
            while (buffer.Length + buffer.Room.Length < 4 * MiB)
            {
                buffer.Advance(buffer.Room.Length);
                await Task.Yield();
                await buffer.GrowAsync(TestContext.Current.CancellationToken);
            }

            buffer.Complete().Dispose();
        }).ToArray();

        await Task.WhenAll(growing).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        Assert.Equal(0, budget.HeldBytes);
    }

    [Fact]
    public async Task Ordinary_images_do_not_wait_for_a_host_that_fills_the_memory_with_endless_ones()
    {
        var budget = NewBudget(16, 4);
        List<Task> endless = [];
        for (var number = 0; number < 20; number++)
        {
            endless.Add(FillAsync(budget, null, 4 * MiB));
        }

        await Eventually.TrueAsync(() => budget.WaitingCount > 0);

        using var image = await FillAsync(budget, 500_000, 500_000).WaitAsync(
            TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        Assert.Equal(500_000, image.Bytes.Length);
    }

    [Fact]
    public async Task Who_waits_is_served_in_the_order_of_asking_and_a_small_wish_does_not_overtake()
    {
        var budget = NewBudget(4, 1);
        var held = await FillAsync(budget, MiB, MiB);
        var large = budget.RentAsync(MiB, TestContext.Current.CancellationToken).AsTask();
        var small = budget.RentAsync(1, TestContext.Current.CancellationToken).AsTask();
        Assert.Equal(2, budget.WaitingCount);

        held.Dispose();
        (await large).Dispose();
        (await small).Dispose();
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_nothing_behind_and_lets_the_next_one_in()
    {
        var budget = NewBudget(4, 1);
        var held = await FillAsync(budget, 600_000, 600_000);
        using var stop = new CancellationTokenSource();
        var impatient = budget.RentAsync(MiB, stop.Token).AsTask();
        var patient = budget.RentAsync(1, TestContext.Current.CancellationToken).AsTask();

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        held.Dispose();
        (await patient).Dispose();
        Assert.Equal(0, budget.HeldBytes);
    }

    private static ByteBudget NewBudget(int budgetMiB, int maxMiB) =>
        new(Options.Create(new FetchOptions { BudgetBytes = budgetMiB * (long)MiB, MaxBytes = maxMiB * MiB }));

    private static async Task<FetchedBody> FillAsync(ByteBudget budget, long? stated, int length)
    {
        var buffer = await budget.RentAsync(stated, TestContext.Current.CancellationToken);
        while (buffer.Length < length)
        {
            if (buffer.Room.IsEmpty)
            {
                await buffer.GrowAsync(TestContext.Current.CancellationToken);
            }

            var room = buffer.Room.Span[..Math.Min(buffer.Room.Length, length - buffer.Length)];
            for (var index = 0; index < room.Length; index++)
            {
                room[index] = (byte)((buffer.Length + index) * 31);
            }

            buffer.Advance(room.Length);
        }

        return buffer.Complete();
    }

    private static void InterlockedMax(ref long target, long value)
    {
        for (var seen = Volatile.Read(ref target); seen < value;)
        {
            seen = Interlocked.CompareExchange(ref target, value, seen);
        }
    }
}

namespace Halftone.Queue;

/// <summary>Running handlers, so that a stop can wait for them.</summary>
internal sealed class RunningTasks
{
    private readonly Lock gate = new();
    private readonly HashSet<Task> tasks = [];

    public void Add(Task task)
    {
        lock (gate)
        {
            tasks.Add(task);
        }

        _ = task.ContinueWith(Remove, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public Task WhenAllAsync()
    {
        lock (gate)
        {
            return Task.WhenAll([.. tasks]);
        }
    }

    private void Remove(Task task)
    {
        lock (gate)
        {
            tasks.Remove(task);
        }
    }
}

namespace Halftone.Api.Access;

/// <summary>Who calls: the owner of what the call makes, and of all it can see.</summary>
/// <param name="Owner">The API key's id; empty on a server that asks for none.</param>
internal readonly record struct Caller(string Owner)
{
    private static readonly object Key = new();

    public static void Set(HttpContext context, string owner) => context.Items[Key] = owner;

    /// <summary>Binds the parameter of an endpoint.</summary>
    /// <exception cref="InvalidOperationException">The access check did not run before the endpoint: nobody is served by accident.</exception>
    public static ValueTask<Caller> BindAsync(HttpContext context) =>
        ValueTask.FromResult(new Caller(context.Items[Key] as string ?? throw new InvalidOperationException("The access check has not run.")));
}

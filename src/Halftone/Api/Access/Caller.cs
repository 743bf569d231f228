namespace Halftone.Api.Access;

/// <summary>The caller: owner of everything the call creates and can see.</summary>
/// <param name="Owner">ID of the API key; empty on a server that requires none.</param>
internal readonly record struct Caller(string Owner)
{
    private static readonly object Key = new();

    public static void Set(HttpContext context, string owner) => context.Items[Key] = owner;

    /// <summary>Binds the parameter of an endpoint.</summary>
    /// <exception cref="InvalidOperationException">The access check did not run before the endpoint, so the call is not served.</exception>
    public static ValueTask<Caller> BindAsync(HttpContext context) =>
        ValueTask.FromResult(
            new Caller(context.Items[Key] as string ?? throw new InvalidOperationException("The access check has not run.")));
}

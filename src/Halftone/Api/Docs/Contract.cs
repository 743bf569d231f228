namespace Halftone.Api.Docs;

/// <summary>The problems that an endpoint may answer with, in addition to <see cref="ProblemType.OfAccess"/>.</summary>
internal sealed record PossibleProblems(IReadOnlyList<ProblemType> Types);

/// <summary>
/// A body that an endpoint reads itself. Not <c>Accepts()</c>, which makes the router answer 415 without saying what to
/// send.
/// </summary>
internal sealed record PossibleBody(Type Shape, IReadOnlyList<string> MediaTypes);

/// <summary>
/// Metadata that the signature of an endpoint cannot express but docs/openapi.json needs. Read by the test that writes
/// that file.
/// </summary>
internal static class Contract
{
    extension(RouteHandlerBuilder route)
    {
        /// <summary>Name and tag of the operation.</summary>
        public RouteHandlerBuilder Named(string operationId, string tag) => route.WithName(operationId).WithTags(tag);

        public RouteHandlerBuilder Takes<TBody>(params string[] mediaTypes) =>
            route.WithMetadata(new PossibleBody(typeof(TBody), mediaTypes));

        public RouteHandlerBuilder MayAnswer(params IEnumerable<ProblemType> problems) =>
            route.WithMetadata(new PossibleProblems([.. problems]));
    }
}

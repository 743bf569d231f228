namespace Halftone.Api.Docs;

/// <summary>The problems that an endpoint may answer with, beside those of <see cref="ProblemType.OfAccess"/>.</summary>
internal sealed record PossibleProblems(IReadOnlyList<ProblemType> Types);

/// <summary>A body that an endpoint reads by itself. Not <c>Accepts()</c>, with which the router answers 415 without a word about what to send.</summary>
internal sealed record PossibleBody(Type Shape, IReadOnlyList<string> MediaTypes);

/// <summary>What the signature of an endpoint cannot say and its contract, docs/openapi.json, must. Read by the test that writes that file.</summary>
internal static class Contract
{
    extension(RouteHandlerBuilder route)
    {
        /// <summary>Name and chapter of the operation.</summary>
        public RouteHandlerBuilder Named(string operationId, string tag) => route.WithName(operationId).WithTags(tag);

        public RouteHandlerBuilder Takes<TBody>(params string[] mediaTypes) => route.WithMetadata(new PossibleBody(typeof(TBody), mediaTypes));

        public RouteHandlerBuilder MayAnswer(params IEnumerable<ProblemType> problems) => route.WithMetadata(new PossibleProblems([.. problems]));
    }
}

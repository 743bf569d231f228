using System.CommandLine;

namespace Halftone.Cli;

/// <summary>The two streams of a verb.</summary>
internal static class Streams
{
    extension(ParseResult result)
    {
        /// <summary>A line of the result, on standard output.</summary>
        public void Print(string line) => result.InvocationConfiguration.Output.WriteLine(line);

        /// <summary>A sentence on everything but the result, on standard error.</summary>
        public void Say(string sentence) => result.InvocationConfiguration.Error.WriteLine(sentence);
    }
}

using System.CommandLine;

namespace Halftone.Cli;

/// <summary>The two output streams of a verb.</summary>
internal static class Streams
{
    extension(ParseResult result)
    {
        /// <summary>Writes a line of the result to standard output.</summary>
        public void Print(string line) => result.InvocationConfiguration.Output.WriteLine(line);

        /// <summary>Writes a sentence about anything but the result to standard error.</summary>
        public void Say(string sentence) => result.InvocationConfiguration.Error.WriteLine(sentence);
    }
}

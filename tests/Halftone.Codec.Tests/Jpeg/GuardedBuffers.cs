using System.Runtime.CompilerServices;
using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Tests.Jpeg;

/// <summary>Every test of this project runs with an unreadable page behind each native buffer of the DCT path.</summary>
internal static class GuardedBuffers
{
    [ModuleInitializer]
    internal static void TurnOn() => GuardedMemory.IsOn = OperatingSystem.IsLinux();
}

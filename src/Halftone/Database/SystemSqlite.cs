using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Halftone.Database;

/// <summary>
/// Uses the operating system's own SQLite, so that its security updates reach Halftone and no native file is shipped.
/// </summary>
internal static class SystemSqlite
{
    private static readonly string[] Names = OperatingSystem.IsMacOS() ? ["libsqlite3.dylib", "sqlite3"] : ["libsqlite3.so.0", "sqlite3"];
    private static readonly Lock Gate = new();
    private static bool loaded;

    /// <summary>Loads the library once per process.</summary>
    /// <exception cref="MissingLibraryException">It is missing; the message has the command that installs it.</exception>
    public static void Load()
    {
        lock (Gate)
        {
            if (loaded)
            {
                return;
            }

            if (Find() is not { } library)
            {
                throw new MissingLibraryException("SQLite is missing. Install it with 'apt-get install libsqlite3-0'.");
            }

            NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, (name, _, _) => name == "e_sqlite3" ? library : 0);
            raw.SetProvider(new SQLite3Provider_e_sqlite3());
            // Each connection is used by one thread at a time, and nobody asks SQLite for its memory use: without locks for both, an insert costs a fifth less. Both must be set before the first connection; if the library refuses them, it is only slower.
            _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MULTITHREAD);
            _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0);
            loaded = true;
        }
    }

    private static nint? Find()
    {
        foreach (var name in Names)
        {
            if (NativeLibrary.TryLoad(name, Assembly.GetExecutingAssembly(), null, out var library))
            {
                return library;
            }
        }

        return null;
    }
}

/// <summary>A native library that must be installed by hand; the message says how.</summary>
internal sealed class MissingLibraryException(string message) : Exception(message);

namespace Halftone.Tests.Servers;

/// <summary>The PostgreSQL that all tests have in common; it starts for the first that wants it.</summary>
internal static class CommonPostgres
{
    private static readonly ThrowAway<PostgresServer> Server = new(PostgresServer.StartAsync);

    extension(PostgresServer)
    {
        public static Task<PostgresServer> CommonAsync(CancellationToken cancellationToken) => Server.GetAsync(cancellationToken);

        /// <summary>A fresh database with every migration.</summary>
        public static async Task<string> NewDatabaseAsync(CancellationToken cancellationToken) =>
            await (await Server.GetAsync(cancellationToken)).CreateDatabaseAsync(cancellationToken);
    }
}

/// <summary>The RabbitMQ that all tests have in common.</summary>
internal static class CommonRabbit
{
    private static readonly ThrowAway<RabbitServer> Server = new(RabbitServer.StartAsync);

    extension(RabbitServer)
    {
        /// <summary>Settings by which the product uses the server, with queues of its own.</summary>
        public static async Task<(string Name, string? Value)[]> NewQueuesAsync(CancellationToken cancellationToken) =>
            (await Server.GetAsync(cancellationToken)).NewQueues();
    }
}

/// <summary>The S3 that all tests have in common.</summary>
internal static class CommonCeph
{
    private static readonly ThrowAway<CephServer> Server = new(CephServer.StartAsync);

    extension(CephServer)
    {
        public static Task<CephServer> CommonAsync(CancellationToken cancellationToken) => Server.GetAsync(cancellationToken);
    }
}

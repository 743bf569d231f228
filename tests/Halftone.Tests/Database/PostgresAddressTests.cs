using Halftone.Database;
using Npgsql;

namespace Halftone.Tests.Database;

public sealed class PostgresAddressTests
{
    [Theory]
    [InlineData("Host=db.example;Database=shop;Username=u;Password=p")]
    [InlineData("postgresql://u:p@db.example/shop")]
    [InlineData("postgres://u:p@db.example:5432/shop")]
    [InlineData("postgresql://db.example/?dbname=shop&user=u&password=p")]
    public void Keywords_and_uris_say_the_same(string text)
    {
        var address = new NpgsqlConnectionStringBuilder(PostgresAddress.Parse(text));
        Assert.Equal(
            ("db.example", 5432, "shop", "u", "p"), (address.Host, address.Port, address.Database, address.Username, address.Password));
    }

    [Fact]
    public void A_uri_may_hold_what_a_password_holds_and_the_parameters_of_other_clients()
    {
        var address = new NpgsqlConnectionStringBuilder(PostgresAddress.Parse(
            "postgresql://shop%40eu:p%3B%2F%27%22%3D@[::1]:6432/"
                + "my%20shop?sslmode=verify-full&connect_timeout=7&application_name=x%3Dy&target_session_attrs=read-write"));
        Assert.Equal(("shop@eu", "p;/'\"=", "my shop"), (address.Username, address.Password, address.Database));
        Assert.Equal(("::1", 6432, 7, "x=y"), (address.Host, address.Port, address.Timeout, address.ApplicationName));
        Assert.Equal(SslMode.VerifyFull, address.SslMode);
        Assert.Equal("read-write", address.TargetSessionAttributes);
    }

    [Fact]
    public void What_is_given_wins_over_what_halftone_would_choose()
    {
        Assert.Equal(32, new NpgsqlConnectionStringBuilder(PostgresAddress.Parse("Host=a")).MaxPoolSize);
        var address = new NpgsqlConnectionStringBuilder(PostgresAddress.Parse("Host=a;MaxPoolSize=7;CommandTimeout=90"));
        Assert.Equal((7, 90, "halftone"), (address.MaxPoolSize, address.CommandTimeout, address.ApplicationName));
    }

    [Theory]
    [InlineData("Data Source=halftone.db")]
    [InlineData("halftone.db")]
    [InlineData("mysql://u:secret@a/b")]
    [InlineData("postgresql://:secret@/b")]
    [InlineData("postgresql://a/b?secret=1")]
    [InlineData("Host=a;Port=secret")]
    [InlineData("Database=shop;Password=secret")]
    public void Anything_else_is_refused_in_a_sentence_that_does_not_repeat_a_password(string text)
    {
        var refused = Assert.Throws<ArgumentException>(() => PostgresAddress.Parse(text));
        Assert.StartsWith("Database:ConnectionString ", refused.Message);
        Assert.DoesNotContain("secret@", refused.Message);
        Assert.DoesNotContain("=secret", refused.Message);
    }
}

using System.Data;
using System.Globalization;
using Dapper;
using Npgsql;

namespace Halftone.Database;

/// <summary>Maps UUIDs: PostgreSQL has a type for them. In SQLite they are lower-case text, which sorts by time and is readable.</summary>
internal sealed class GuidType : SqlMapper.TypeHandler<Guid>
{
    public static void Register()
    {
        SqlMapper.RemoveTypeMap(typeof(Guid));
        SqlMapper.RemoveTypeMap(typeof(Guid?));
        SqlMapper.AddTypeHandler(new GuidType());
    }

    public override void SetValue(IDbDataParameter parameter, Guid value)
    {
        var isNative = parameter is NpgsqlParameter;
        parameter.DbType = isNative ? DbType.Guid : DbType.String;
        parameter.Value = isNative ? value : value.ToString("D", CultureInfo.InvariantCulture);
    }

    public override Guid Parse(object value) => value is Guid guid ? guid : Guid.Parse((string)value, CultureInfo.InvariantCulture);
}

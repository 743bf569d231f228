using System.Data;
using System.Globalization;
using Dapper;

namespace Halftone.Database;

/// <summary>SQLite has no UUID type: request ids are stored as lower-case text, which sorts by time and can be read by hand.</summary>
internal sealed class GuidText : SqlMapper.TypeHandler<Guid>
{
    public static void Register()
    {
        SqlMapper.RemoveTypeMap(typeof(Guid));
        SqlMapper.RemoveTypeMap(typeof(Guid?));
        SqlMapper.AddTypeHandler(new GuidText());
    }

    public override void SetValue(IDbDataParameter parameter, Guid value)
    {
        parameter.DbType = DbType.String;
        parameter.Value = value.ToString("D", CultureInfo.InvariantCulture);
    }

    public override Guid Parse(object value) => value is Guid guid ? guid : Guid.Parse((string)value, CultureInfo.InvariantCulture);
}

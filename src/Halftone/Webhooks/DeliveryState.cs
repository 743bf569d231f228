namespace Halftone.Webhooks;

/// <summary>The state of a delivery: in lower case in the database, in upper case on the wire.</summary>
internal enum DeliveryState
{
    /// <summary>Its next attempt is due now or later.</summary>
    Pending,

    Delivered,

    /// <summary>Given up.</summary>
    Failed,
}

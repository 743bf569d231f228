namespace Halftone.Model;

/// <summary>Which part of the work a process does; <c>--role</c>, setting <c>Server:Role</c>.</summary>
internal enum Role
{
    /// <summary>Everything: the default, and all there is on one machine.</summary>
    All,
    /// <summary>Takes uploads and answers questions; works on no image.</summary>
    Api,
    /// <summary>Works on images, writes results and delivers webhooks; answers probes alone.</summary>
    Worker,
}

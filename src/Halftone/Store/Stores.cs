namespace Halftone.Store;

/// <summary>Where output images are kept.</summary>
internal sealed record StoredImages(IObjectStore Store);

/// <summary>Where uploads and result files are kept.</summary>
internal sealed record StoredFiles(IObjectStore Store);

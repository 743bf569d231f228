namespace Halftone.Store;

/// <summary>The store of output images.</summary>
internal sealed record StoredImages(IObjectStore Store);

/// <summary>The store of uploads and result files.</summary>
internal sealed record StoredFiles(IObjectStore Store);

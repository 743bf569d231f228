namespace Halftone.Codec.Vips;

/// <summary>An image on its way through operations; owns the latest, and libvips keeps what that one is made from.</summary>
internal sealed class VipsPipeline(VipsImage opened) : IDisposable
{
    public VipsImage Image { get; private set; } = opened;

    public VipsPipeline Apply(string operation, string options = "") => Replace(VipsOperation.Apply(operation, Image, options));

    public VipsPipeline Replace(VipsImage next)
    {
        Image.Dispose();
        Image = next;
        return this;
    }

    public void Dispose() => Image.Dispose();
}

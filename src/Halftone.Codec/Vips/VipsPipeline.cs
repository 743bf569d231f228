using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>An image on its way through operations; owns the latest, and libvips keeps what that one is made from.</summary>
internal sealed class VipsPipeline(Image opened) : IDisposable
{
    public Image Image { get; private set; } = opened;

    public VipsPipeline Apply(Func<Image, Image> operation) => Replace(operation(Image));

    public VipsPipeline Replace(Image next)
    {
        Image.Dispose();
        Image = next;
        return this;
    }

    public void Dispose() => Image.Dispose();
}

// Repeatable noise: every value comes from integer hashes of a position and a fixed seed, never from Math.random.

const SEED = 0x48545f31;

/** A number in 0..1 for an integer lattice point. */
export function hash(x, y, z) {
  let h = SEED ^ Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(z, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

const fade = (t) => t * t * (3 - 2 * t);

/** Smooth value noise in 0..1, one bump per unit. */
export function noise(x, y, z) {
  const ix = Math.floor(x), iy = Math.floor(y), iz = Math.floor(z);
  const u = fade(x - ix), v = fade(y - iy), w = fade(z - iz);
  const row = (dy, dz) => {
    const a = hash(ix, iy + dy, iz + dz);
    return a + (hash(ix + 1, iy + dy, iz + dz) - a) * u;
  };
  const near = row(0, 0) + (row(1, 0) - row(0, 0)) * v;
  const far = row(0, 1) + (row(1, 1) - row(0, 1)) * v;
  return near + (far - near) * w;
}

/** Four octaves of noise, about 0..1. */
export function cloud(x, y, z) {
  return (noise(x, y, z) * 8 + noise(x * 2.03 + 7, y * 2.03, z * 2.03) * 4
    + noise(x * 4.1 + 19, y * 4.1, z * 4.1) * 2 + noise(x * 8.3 + 31, y * 8.3, z * 8.3)) / 15;
}

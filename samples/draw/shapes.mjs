// Signed distances: negative inside, positive outside, in scene units (one unit is 10 cm).
// Each is exact or too small, never too large, because the renderer steps by what these return.

const { abs, max, min, sqrt } = Math;

// Math.hypot guards against overflow, which nothing here comes near, and takes several times as long.
export const length = (x, y, z) => sqrt(x * x + y * y + z * z);

export const sphere = (x, y, z, r) => length(x, y, z) - r;

/** A box with half sizes a, b, c, its edges rounded by r. */
export function box(x, y, z, a, b, c, r) {
  const dx = abs(x) - a + r, dy = abs(y) - b + r, dz = abs(z) - c + r;
  const outX = max(dx, 0), outY = max(dy, 0), outZ = max(dz, 0);
  return sqrt(outX * outX + outY * outY + outZ * outZ) + min(max(dx, dy, dz), 0) - r;
}

/** An upright cylinder, half as high as h, its edges rounded by r. */
export function cylinder(x, y, z, radius, h, r) {
  const dr = sqrt(x * x + z * z) - radius + r, dy = abs(y) - h + r;
  const outR = max(dr, 0), outY = max(dy, 0);
  return sqrt(outR * outR + outY * outY) + min(max(dr, dy), 0) - r;
}

/** A rod of radius r from a to b. */
export function rod(x, y, z, a, b, r) {
  const px = x - a[0], py = y - a[1], pz = z - a[2];
  const bx = b[0] - a[0], by = b[1] - a[1], bz = b[2] - a[2];
  const h = min(max((px * bx + py * by + pz * bz) / (bx * bx + by * by + bz * bz), 0), 1);
  return length(px - bx * h, py - by * h, pz - bz * h) - r;
}

/** A ring in the x-y plane, stretched by `stretch` along y. */
export function ring(x, y, z, radius, r, stretch) {
  const dy = y - min(max(y, -stretch), stretch);
  const q = sqrt(x * x + dy * dy) - radius;
  return sqrt(q * q + z * z) - r;
}

/**
 * A thing turned on the wheel: `profile(y)` is its outer radius from 0 to `height`, its wall `wall` thick.
 * `steepest` bounds how fast the radius changes with y, and makes the distance safe.
 */
export function turned(x, y, z, profile, height, wall, steepest) {
  const radius = profile(min(max(y, 0), height));
  const outside = (sqrt(x * x + z * z) - radius) / sqrt(1 + steepest * steepest);
  const slab = abs(y - height / 2) - height / 2;
  const body = roundMax(outside, slab, 0.03);
  const hollow = max(outside + wall, wall * 1.5 - y);
  return roundMax(body, -hollow, min(wall, 0.05));
}

/** The union of two shapes with a soft seam about k wide. */
export function roundMin(a, b, k) {
  const h = max(k - abs(a - b), 0) / k;
  return min(a, b) - h * h * k / 4;
}

/** The intersection of two shapes with a soft edge about k wide. */
export const roundMax = (a, b, k) => -roundMin(-a, -b, k);

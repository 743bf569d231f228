// The five rendered products. One unit is 10 cm; everything stands on the floor y = 0.

import { cloud, hash, noise } from "./noise.mjs";
import { box, cylinder, length, ring, rod, roundMax, roundMin, sphere, turned } from "./shapes.mjs";
import { ink, mix, scale, smooth } from "./studio.mjs";

const { abs, cos, max, min, sin, sqrt } = Math;
const flat = (x, z) => sqrt(x * x + z * z);

/** The same thing turned by `angle` about the vertical and moved to x, z. */
const placed = (thing, at, angle = 0) => {
  const c = cos(angle), s = sin(angle);
  const local = (x, z) => [(x - at[0]) * c - (z - at[2]) * s, (x - at[0]) * s + (z - at[2]) * c];
  return {
    around: thing.reach && [at[0], at[1] + thing.reach[0], at[2], thing.reach[1]],
    distance: (x, y, z) => { const [u, w] = local(x, z); return thing.distance(u, y - at[1], w); },
    surface: (p, n) => { const [u, w] = local(p[0], p[2]); return thing.surface([u, p[1] - at[1], w], n); },
  };
};

/** Long-grained wood; the grain runs along x. */
const wood = (p, pale, dark) => {
  const waves = cloud(p[0] * 0.35, p[1] * 2.2, p[2] * 2.2) * 9 + p[2] * 2.4 + p[1] * 3;
  const band = waves - Math.floor(waves);
  const fibre = noise(p[0] * 5, p[1] * 70, p[2] * 70) * 0.35 + noise(p[0] * 1.3, p[1] * 26, p[2] * 26) * 0.35;
  return mix(ink(pale), ink(dark), min(smooth(0, 0.9, band) * smooth(1, 0.92, band) * 0.7 + fibre * 0.5, 1));
};

/** Iron flecks in clay, 0..1: a ball of its own size in about one cell of forty. */
const flecks = (p) => {
  const cell = p.map((v) => Math.floor(v * 55));
  const size = hash(...cell);
  if (size < 0.974) return 0;
  const off = p.map((v, i) => v * 55 - cell[i] - 0.35 - 0.3 * hash(cell[0] + 9 * i, cell[1] + 5, cell[2]));
  return smooth(0.4, 0.18, length(...off) / (0.5 + (size - 0.974) * 22));
};

/** A stoneware mug: dipped glaze over speckled clay. */
export function mug({ glaze, at = [0, 0, 0], angle = 0 }) {
  const dip = (p) => 0.3 + 0.035 * sin(Math.atan2(p[2], p[0]) * 3 + 1) + 0.05 * noise(p[0] * 3, 5, p[2] * 3);
  return placed({
    reach: [0.5, 0.95],
    distance: (x, y, z) => {
      const outer = cylinder(x, y - 0.48, z, 0.43, 0.48, 0.09);
      const inner = cylinder(x, y - 0.63, z, 0.385, 0.56, 0.1);
      const handle = max(ring(x - 0.42, y - 0.5, z * 0.8, 0.17, 0.052, 0.1), -(flat(x, z) - 0.4));
      return roundMin(roundMax(outer, -inner, 0.035), handle, 0.06);
    },
    surface: (p) => {
      const fleck = flecks(p);
      const clay = scale(mix(ink("#b98f68"), ink("#8f6744"), cloud(p[0] * 6, p[1] * 6, p[2] * 6)), 1 - 0.5 * fleck);
      const depth = cloud(p[0] * 2.5, p[1] * 1.2, p[2] * 2.5);
      const coat = scale(mix(ink(glaze[0]), ink(glaze[1]), smooth(0.3, 0.75, depth)), 1 - 0.3 * fleck);
      const inside = flat(p[0], p[2]) < 0.4 && p[1] > 0.05 && p[0] < 0.41;
      const t = inside ? 1 : smooth(-0.012, 0.012, p[1] - dip(p));
      return { color: mix(clay, coat, t), gloss: 0.045 * t, rough: 0.12 + 0.6 * (1 - t) };
    },
  }, at, angle);
}

/** An olive wood serving board with a handle. */
export const board = ({ at = [0, 0, 0], angle = 0 } = {}) => placed({
  reach: [0.1, 2.4],
  distance: (x, y, z) => {
    const plate = flat(max(abs(x + 0.25) - 0.95, 0), max(abs(z) - 0.35, 0)) - 0.5;
    const grip = flat(x - min(max(x, 1.1), 1.75), z) - 0.2;
    const outline = max(roundMin(plate, grip, 0.35), -(flat(x - 1.72, z) - 0.075));
    return roundMax(outline, abs(y - 0.1) - 0.1, 0.07);
  },
  surface: (p) => ({ color: wood(p, "#c8935a", "#7d4e28"), gloss: 0.03, rough: 0.6 }),
}, at, angle);

/** A lemon lying on its side. */
export const lemon = ({ at, angle = 0 }) => placed({
  reach: [0, 0.5],
  distance: (x, y, z) => {
    const body = sphere(x * 0.8, y, z, 0.27) * 0.9;
    const tips = rod(x, y, z, [-0.36, 0, 0], [0.37, 0.01, 0], 0.045);
    const pores = noise(x * 44, y * 44, z * 44) * 0.0028;
    return (roundMin(body, tips, 0.17) + pores) * 0.85;
  },
  surface: (p) => ({
    color: mix(ink("#f0ab0c"), ink("#c9a92a"), smooth(0.3, 0.42, abs(p[0])) * 0.7 + 0.3 * cloud(p[0] * 4, p[1] * 4, p[2] * 4)),
    gloss: 0.04, rough: 0.36,
  }),
}, at, angle);

/** A desk lamp: brass foot and stem, an enamelled dome. */
export function lamp({ enamel, lit = true }) {
  const brass = { color: ink("#7a5a26"), gloss: 0.72, rough: 0.2, metal: [1, 0.78, 0.42] };
  return [
    {
      around: [0, 1.4, 0, 1.8],
      distance: (x, y, z) => min(
        cylinder(x, y - 0.05, z, 0.56, 0.05, 0.035),
        rod(x, y, z, [0, 0.1, 0], [0, 2.2, 0], 0.032),
        cylinder(x, y - 2.86, z, 0.07, 0.07, 0.03)),
      surface: () => brass,
    },
    {
      around: [0, 2.3, 0, 1.15],
      distance: (x, y, z) => {
        const dome = abs(length(x, (y - 2.05) * 1.12, z) - 0.86) - 0.014;
        return roundMax(dome * 0.88, 2.05 - y, 0.015);
      },
      surface: (p, n) => {
        const outward = p[0] * n[0] + (p[1] - 2.05) * n[1] + p[2] * n[2] > 0;
        return outward
          ? { color: ink(enamel), gloss: 0.045, rough: 0.1 }
          : { color: ink("#f4ead8"), gloss: 0, rough: 1, glow: lit ? [1.3, 0.86, 0.42] : undefined };
      },
    },
    {
      around: [0, 2.26, 0, 0.25],
      distance: (x, y, z) => sphere(x, y - 2.26, z, 0.2),
      surface: () => ({ color: [1, 1, 1], gloss: 0, rough: 1, glow: lit ? [6, 4.6, 2.8] : undefined }),
    },
  ];
}

/** Three matt vases, thrown on the wheel. */
export function vases() {
  const matt = (pale, dark) => (p) => ({
    color: mix(ink(pale), ink(dark), 0.55 * cloud(p[0] * 3, p[1] * 9, p[2] * 3) + 0.25 * noise(p[0] * 40, p[1] * 40, p[2] * 40)),
    gloss: 0.025, rough: 0.75,
  });
  const tall = (y) => 0.28 + 0.21 * sin(y * 1.62 + 0.25) - 0.07 * smooth(0.9, 1.7, y) + 0.2 * smooth(1.75, 2.2, y);
  const belly = (y) => 0.16 + 0.5 * sqrt(max(1 - ((y - 0.5) / 0.62) ** 2, 0.02)) * smooth(-0.6, 0.3, y) + 0.03 * smooth(1.02, 1.14, y);
  const bowl = (y) => 0.2 + 0.36 * sqrt(min(max(y / 0.56, 0.001), 1)) + 0.003 * sin(y * 80);
  return [
    placed({ reach: [1, 1.25], distance: (x, y, z) => turned(x, y, z, tall, 2.1, 0.05, 0.8), surface: matt("#c9623f", "#9c4229") }, [-0.62, 0, -0.3]),
    placed({ reach: [0.6, 0.95], distance: (x, y, z) => turned(x, y, z, belly, 1.12, 0.05, 1.4), surface: matt("#94a58a", "#6b8068") }, [0.7, 0, -0.25]),
    placed({ reach: [0.3, 0.75], distance: (x, y, z) => turned(x, y, z, bowl, 0.52, 0.045, 1.6), surface: matt("#efe4d0", "#d3c2a6") }, [0.12, 0, 1.1]),
  ];
}

/** A stack of painted beech blocks: arch, cubes, columns and a roof. */
export function blocks() {
  const paint = (hex) => (p) => {
    const grain = noise(p[0] * 3, p[1] * 40, p[2] * 40) * 0.5 + noise(p[0] * 7, p[1] * 95, p[2] * 95) * 0.5;
    return { color: scale(ink(hex), 0.86 + 0.2 * grain), gloss: 0.035, rough: 0.5 };
  };
  const bare = (p) => ({ color: wood(p, "#e8c79a", "#bd8f5c"), gloss: 0.025, rough: 0.6 });
  const block = (at, angle, distance, surface, reach = 0.8) => placed({ reach: [0, reach], distance, surface }, at, angle);
  const cube = (x, y, z) => box(x, y, z, 0.3, 0.3, 0.3, 0.035);
  const brick = (x, y, z) => box(x, y, z, 0.62, 0.15, 0.3, 0.035);
  const arch = (x, y, z) => roundMax(box(x, y, z, 0.62, 0.3, 0.3, 0.035), -(flat(x, y + 0.3) - 0.33), 0.035);
  const column = (x, y, z) => cylinder(x, y, z, 0.17, 0.3, 0.035);
  const roof = (x, y, z) => roundMax(roundMax((abs(x) + y - 0.3) * 0.7071, -0.22 - y, 0.03), abs(z) - 0.3, 0.03);
  return [
    block([-0.45, 0.3, 0], 0.05, arch, paint("#2f6fae")),
    block([0.86, 0.3, 0.02], -0.22, cube, paint("#d9483b")),
    block([-0.3, 0.75, 0], -0.06, brick, bare),
    block([-0.62, 1.2, 0], 0.1, column, paint("#f0b429")),
    block([0.02, 1.2, 0.02], 0, column, paint("#4c9a62")),
    block([-0.3, 1.65, 0], 0.08, brick, paint("#e07a3f")),
    block([-0.3, 2.02, 0], 0.02, roof, paint("#c93f4b")),
    block([0.88, 0.82, 0.02], 0.25, roof, bare),
    block([1.4, 0.17, 0.75], 0.6, (x, y, z) => cylinder(x, z, y, 0.17, 0.3, 0.035), paint("#7b5ea7")),
    block([-0.82, 0.15, 1.0], 0.85, brick, paint("#f0b429")),
    block([0.38, 0.3, 1.0], 0.7, cube, paint("#3fa7a0")),
  ];
}

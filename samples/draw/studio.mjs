// The photographer's studio: a camera, one big soft light, a seamless paper sweep, and a sphere tracer that sees it all.
// Written for these pictures: a few seconds of plain JavaScript each, no dependency, the same bytes at each run.

import { hash } from "./noise.mjs";
import { length, roundMin } from "./shapes.mjs";

const FAR = 40;

export const add = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const mix = (a, b, t) => [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
export const scale = (a, s) => [a[0] * s, a[1] * s, a[2] * s];
export const smooth = (from, to, x) => {
  const t = Math.min(Math.max((x - from) / (to - from), 0), 1);
  return t * t * (3 - 2 * t);
};
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = (a) => scale(a, 1 / length(a[0], a[1], a[2]));
const reflect = (d, n) => add(d, scale(n, -2 * dot(d, n)));

/** "#rrggbb" as linear light. */
export function ink(hex) {
  return [1, 3, 5].map((at) => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
}

/** The paper sweep: a floor at y = 0 that bends up into a wall `depth` behind the subject. */
export const paper = (color, depth = 5) => ({
  paper: true,
  distance: (x, y, z) => roundMin(y, z + depth, 3),
  surface: () => ({ color: ink(color), gloss: 0, rough: 1 }),
});

/**
 * Renders a picture as 8-bit RGBA.
 * things: [{distance(x,y,z), surface([x,y,z], normal) → {color, gloss, rough, glow?}, around?: [x,y,z,r]}]
 * camera: {from, at, fov (degrees, across the height)}; light: {towards, size, color, fill, sky}
 * cutout: paper and shadow become transparency instead of colour.
 */
export function render({ width, height, things, camera, light, exposure = 1, cutout = false, grain = 0.012 }) {
  const forward = unit(add(camera.at, scale(camera.from, -1)));
  const right = unit(cross(forward, [0, 1, 0]));
  const up = cross(right, forward);
  const zoom = Math.tan((camera.fov * Math.PI) / 360);
  const towards = unit(light.towards);

  let seen = null;
  const distance = (x, y, z) => {
    let nearest = FAR;
    for (const thing of things) {
      const a = thing.around;
      if (a !== undefined && length(x - a[0], y - a[1], z - a[2]) - a[3] > nearest) continue;
      const d = thing.distance(x, y, z);
      if (d < nearest) { nearest = d; seen = thing; }
    }
    return nearest;
  };

  const march = (o, d, start) => {
    let t = start;
    for (let step = 0; step < 160 && t < FAR; step++) {
      const gap = distance(o[0] + d[0] * t, o[1] + d[1] * t, o[2] + d[2] * t);
      if (gap < 0.0006 * (1 + t * 0.3)) return t;
      t += gap;
    }
    return FAR;
  };

  const normalAt = (p) => {
    const e = 0.0012;
    const a = distance(p[0] + e, p[1] - e, p[2] - e), b = distance(p[0] - e, p[1] - e, p[2] + e);
    const c = distance(p[0] - e, p[1] + e, p[2] - e), d = distance(p[0] + e, p[1] + e, p[2] + e);
    return unit([a - b - c + d, -a - b + c + d, -a + b - c + d]);
  };

  // How much of the soft light a point sees, 0..1: the narrowest angle the ray to it passes things at.
  const lit = (p, n) => {
    let open = 1, t = 0.012;
    for (let step = 0; step < 70 && t < 9; step++) {
      const h = distance(p[0] + n[0] * 0.006 + towards[0] * t, p[1] + n[1] * 0.006 + towards[1] * t, p[2] + n[2] * 0.006 + towards[2] * t);
      open = Math.min(open, h / (light.size * t));
      if (open < -1) break;
      t += Math.min(Math.max(Math.abs(h) * 0.7, 0.012), 0.35);
    }
    open = Math.max(open, -1);
    return 0.25 * (1 + open) * (1 + open) * (2 - open);
  };

  // How open the sky is along a direction, 0..1.
  const openness = (p, d, reach) => {
    let shut = 0, weight = 1;
    for (let step = 1; step <= 6; step++) {
      const t = (reach * step * step) / 36 + 0.004;
      shut += Math.max(t - distance(p[0] + d[0] * t, p[1] + d[1] * t, p[2] + d[2] * t), 0) * weight / t * 0.3;
      weight *= 0.82;
    }
    return 0.06 + 0.94 * Math.max(1 - shut, 0) ** 1.4;
  };

  // What a mirror would see of the studio: dim walls, a window-like softbox on the light's side, a strip on the other.
  const studio = (d, rough) => {
    const edge = 0.04 + rough * 0.7;
    const across = dot(d, unit(cross([0, 1, 0], towards))), along = dot(d, towards);
    const box = along > 0 ? smooth(0.42 + edge, 0.42 - edge, Math.abs(across)) * smooth(0.72 - edge, 0.72 + edge, along + 0.12) : 0;
    const strip = smooth(0.16 + edge, 0.16 - edge, Math.abs(across * 0.8 + 0.75)) * smooth(-0.1, 0.3, d[1]) * smooth(0.95, 0.6, d[1]);
    const wall = 0.16 + 0.22 * smooth(-0.4, 1, d[1]);
    return add(scale(light.color, box * (2.6 - rough * 1.4)), scale(light.sky, wall + strip * 0.7 * (1 - rough * 0.6)));
  };

  const shade = (p, d, depth) => {
    const n = normalAt(p);
    const thing = seen;
    const s = thing.surface(p, n);
    const facing = Math.max(dot(n, towards), 0);
    const shadow = facing > 0 ? lit(p, n) : 0;
    const open = openness(p, n, 1.1);
    const floorLight = Math.max(0.5 - 0.5 * n[1], 0) * Math.exp(-Math.max(p[1], 0) * 0.5);
    let lightIn = scale(light.color, facing * shadow * 1.9);
    lightIn = add(lightIn, scale(light.sky, (0.35 + 0.4 * Math.max(n[1], -0.3)) * open));
    lightIn = add(lightIn, scale(light.fill, Math.max(dot(n, unit([-towards[0], 0.25, towards[2]])), 0) * 0.35 * open));
    lightIn = add(lightIn, scale(light.bounce ?? light.sky, floorLight * 0.45 * (0.25 + 0.75 * open)));
    for (const lamp of light.lamps ?? []) {
      const to = add(lamp.at, scale(p, -1));
      const far = length(...to);
      if (lamp.cone && -to[1] / far > -lamp.cone) continue;
      const beam = lamp.cone ? smooth(lamp.cone, lamp.cone + 0.22, to[1] / far) : 1;
      lightIn = add(lightIn, scale(lamp.color, beam * Math.max(dot(n, to) / far, 0) / (0.25 + far * far)));
    }
    let out = [s.color[0] * lightIn[0], s.color[1] * lightIn[1], s.color[2] * lightIn[2]];
    if (s.glow) out = add(out, s.glow);
    if (s.gloss > 0) {
      const r = reflect(d, n);
      const fresnel = s.gloss + (Math.max(1 - s.rough, s.gloss) - s.gloss) * (1 - Math.max(-dot(d, n), 0)) ** 5;
      let mirrored = scale(studio(r, s.rough), openness(p, r, 0.7));
      if (s.rough < 0.35 && depth === 0) {
        const from = add(p, scale(n, 0.01));
        const t = march(from, r, 0.01);
        if (t < 6) {
          const near = shade(add(from, scale(r, t)), r, 1);
          mirrored = mix(near, mirrored, smooth(0, 6, t));
        }
      }
      out = add(scale(out, 1 - fresnel * 0.6), scale([mirrored[0] * (s.metal?.[0] ?? 1), mirrored[1] * (s.metal?.[1] ?? 1), mirrored[2] * (s.metal?.[2] ?? 1)], fresnel));
    }
    return out;
  };

  // One ray; returns linear r, g, b and how much of it hides the background.
  const look = (px, py) => {
    const u = ((px / width) * 2 - 1) * zoom * (width / height), v = (1 - (py / height) * 2) * zoom;
    const d = unit(add(forward, add(scale(right, u), scale(up, v))));
    const t = march(camera.from, d, 0.5);
    if (t >= FAR) return [0, 0, 0, 0];
    const p = add(camera.from, scale(d, t));
    if (cutout) {
      distance(...p);
      if (seen.paper) {
        const n = [0, 1, 0];
        const dark = 1 - (0.55 * lit(p, n) + 0.45 * openness(p, n, 1.1));
        // The shadow ends before the picture does, or its cut edge would show on a page.
        const border = Math.min(px / width, 1 - px / width, py / height, 1 - py / height);
        return [0.004, 0.004, 0.006, Math.min(Math.max(dark * 0.95 - 0.06, 0), 0.8) * smooth(0, 0.12, border)];
      }
    }
    return [...shade(p, d, 0), 1];
  };

  const develop = (x) => {
    const c = Math.max(x * exposure, 0);
    const film = (c * (2.51 * c + 0.03)) / (c * (2.43 * c + 0.59) + 0.14);   // the usual short fit of a film curve
    const f = Math.min(film, 1);
    return f <= 0.0031308 ? f * 12.92 : 1.055 * f ** (1 / 2.4) - 0.055;
  };

  // First one ray a pixel; then eight more wherever a pixel differs from a neighbour.
  const first = new Float32Array(width * height * 4);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      const c = look(x + 0.5, y + 0.5);
      first.set([develop(c[0]), develop(c[1]), develop(c[2]), c[3]], at);
    }
  }
  const rough = (x, y) => {
    const at = (y * width + x) * 4;
    for (const [dx, dy] of [[1, 0], [0, 1], [-1, 0], [0, -1]]) {
      const nx = x + dx, ny = y + dy;
      if (nx < 0 || ny < 0 || nx >= width || ny >= height) continue;
      const other = (ny * width + nx) * 4;
      for (let i = 0; i < 4; i++) if (Math.abs(first[at + i] - first[other + i]) > 0.035) return true;
    }
    return false;
  };
  const pixels = Buffer.alloc(width * height * 4);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      let [r, g, b, a] = first.subarray(at, at + 4);
      if (rough(x, y)) {
        // Averaged with alpha as weight, so a cut-out edge takes no colour from the empty side.
        let sr = 0, sg = 0, sb = 0, sa = 0;
        for (let i = 0; i < 9; i++) {
          const c = look(x + ((i % 3) + 0.5) / 3, y + (Math.floor(i / 3) + 0.5) / 3);
          sr += develop(c[0]) * c[3]; sg += develop(c[1]) * c[3]; sb += develop(c[2]) * c[3]; sa += c[3];
        }
        if (sa > 0) { r = sr / sa; g = sg / sa; b = sb / sa; }
        a = sa / 9;
      }
      const edgeX = x / width - 0.5, edgeY = y / height - 0.5;
      const lens = cutout ? 1 : 1 - 0.28 * (edgeX * edgeX + edgeY * edgeY);
      const speck = (hash(x, y, 77) + hash(x, y, 78) - 1) * grain;
      pixels[at] = Math.min(Math.max((r * lens + speck) * 255 + 0.5, 0), 255);
      pixels[at + 1] = Math.min(Math.max((g * lens + speck) * 255 + 0.5, 0), 255);
      pixels[at + 2] = Math.min(Math.max((b * lens + speck) * 255 + 0.5, 0), 255);
      pixels[at + 3] = Math.min(Math.max(a * 255 + 0.5, 0), 255);
    }
  }
  return pixels;
}

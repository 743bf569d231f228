// Draws the sample pictures into images/. Run `npm ci && npm run draw`, or name some: `node draw.mjs mug-front`.
// The pictures are committed; this is only needed to change them. The same script gives the same bytes again.

import { mkdir } from "node:fs/promises";
import sharp from "sharp";
import { halftoneMark } from "./draw/mark.mjs";
import { blocks, board, lamp, lemon, mug, vases } from "./draw/products.mjs";
import { paper, render } from "./draw/studio.mjs";

const FOLDER = new URL("images/", import.meta.url).pathname;

const daylight = { towards: [-0.62, 0.85, 0.55], size: 0.2, color: [0.9, 0.84, 0.76], sky: [0.5, 0.55, 0.64], fill: [0.42, 0.38, 0.34] };
const evening = {
  towards: [-0.5, 0.7, 0.6], size: 0.3, color: [0.11, 0.12, 0.16], sky: [0.055, 0.062, 0.085], fill: [0.03, 0.03, 0.035],
  bounce: [0.9, 0.52, 0.24], lamps: [{ at: [0, 2.2, 0], color: [9.5, 5.6, 2.5], cone: 0.12 }],
};
const lemons = [lemon({ at: [-0.75, 0.44, -0.1], angle: 0.5 }), lemon({ at: [-0.12, 0.44, 0.17], angle: -0.9 })];
const fjord = ["#2c5f73", "#123244"];
const oat = ["#efe6d6", "#d8c7a8"];
const camera = (from, at, fov) => ({ from, at, fov });

const jpeg = (image) => image.removeAlpha().jpeg({ quality: 90, chromaSubsampling: "4:2:0", mozjpeg: false });
const webp = (image) => image.removeAlpha().webp({ quality: 92, effort: 5 });
const png = (image) => image.png({ compressionLevel: 9, adaptiveFiltering: true });

const pictures = {
  "mug-front.jpg": [jpeg, { width: 1200, height: 1200, things: [paper("#e9e2d8"), mug({ glaze: fjord, angle: 0.35 })],
    light: daylight, camera: camera([0.1, 1.5, 4.6], [0.08, 0.5, 0], 21) }],
  "mug-pair.jpg": [jpeg, { width: 1440, height: 1080, things: [paper("#d8dfe0"), mug({ glaze: fjord, at: [-0.5, 0, -0.2], angle: 2.6 }), mug({ glaze: oat, at: [0.62, 0, 0.35], angle: 0.15 })],
    light: daylight, camera: camera([-0.9, 2.3, 5.2], [0.05, 0.42, 0], 24) }],
  "mug-cutout.png": [png, { width: 720, height: 720, cutout: true, grain: 0, things: [paper("#ffffff", 100), mug({ glaze: oat, angle: 0.5 })],
    light: daylight, camera: camera([0.1, 1.5, 4.6], [0.14, 0.47, 0], 21) }],
  "board-lemons.jpg": [jpeg, { width: 1600, height: 1200, things: [paper("#dfe5e2"), board({ angle: 0.42 }), ...lemons],
    light: daylight, camera: camera([0.3, 3.4, 5.4], [0.05, 0.12, 0.05], 28) }],
  "board-above.jpg": [jpeg, { width: 1000, height: 1000, things: [paper("#c9b7a6"), board({ angle: 0.8 })],
    light: daylight, camera: camera([0, 6.2, 2.2], [0.1, 0.05, 0.02], 36) }],
  "lamp-evening.jpg": [jpeg, { width: 1200, height: 1500, things: [paper("#6f6a66", 2.4), ...lamp({ enamel: "#1f4d3f" })],
    light: evening, exposure: 1.25, camera: camera([1.1, 0.85, 7.6], [0, 1.42, 0], 28) }],
  "lamp-day.webp": [webp, { width: 1000, height: 1250, things: [paper("#e6ddd0"), ...lamp({ enamel: "#1f4d3f", lit: false })],
    light: daylight, camera: camera([-0.8, 2.7, 7.6], [0, 1.42, 0], 27) }],
  "vases-trio.jpg": [jpeg, { width: 1200, height: 1500, things: [paper("#ead9c8"), ...vases()],
    light: daylight, camera: camera([0.3, 2.1, 7.6], [0.02, 0.9, 0.1], 26) }],
  "vases-wide.webp": [webp, { width: 1400, height: 933, things: [paper("#cfd6d2"), ...vases()],
    light: { ...daylight, towards: [0.8, 0.7, 0.35] }, camera: camera([-1.2, 1.5, 6.6], [0.05, 0.9, 0], 26) }],
  "blocks-tower.jpg": [jpeg, { width: 1280, height: 1280, things: [paper("#f0ece4"), ...blocks()],
    light: daylight, camera: camera([1.2, 2.4, 7.6], [0.04, 0.98, 0.2], 29) }],
  "blocks-cutout.png": [png, { width: 800, height: 640, cutout: true, grain: 0, things: [paper("#ffffff", 100), ...blocks()],
    light: daylight, camera: camera([-2.2, 3, 6.8], [0.1, 0.98, 0.2], 28) }],
};

await mkdir(FOLDER, { recursive: true });
const wanted = process.argv.slice(2);
const draws = (file) => wanted.length === 0 || wanted.some((name) => file.startsWith(name));

for (const [file, [encode, scene]] of Object.entries(pictures)) {
  if (!draws(file)) continue;
  const started = performance.now();
  const raw = { width: scene.width, height: scene.height, channels: 4 };
  const { size } = await encode(sharp(render(scene), { raw })).toFile(FOLDER + file);
  console.log(`${file}: ${Math.round(size / 1000)} kB, ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
if (draws("sticker.png")) {
  const { size } = await png(sharp(Buffer.from(halftoneMark(900)))).toFile(FOLDER + "sticker.png");
  console.log(`sticker.png: ${Math.round(size / 1000)} kB`);
}

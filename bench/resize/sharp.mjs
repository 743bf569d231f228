// sharp at the codec's encoder settings: shrinks the files that its standard input names, one a line, from memory to memory.
//   node sharp.mjs MODULES BOX OUT      MODULES: a folder with node_modules/sharp; OUT: a folder for the outputs
// Prints CPU-ms by file (user and system time of the process), in the order of the input, as a JSON array, and sharp's version to stderr.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

const [modules, box, out] = process.argv.slice(2);
const sharp = createRequire(path.resolve(modules, 'package.json'))('sharp');
sharp.concurrency(1);
sharp.cache(false);
const settings = {
  '.jpg': image => image.jpeg({ quality: 50 }),
  '.png': image => image.png({ quality: 50 }),
  '.webp': image => image.webp({ quality: 50, effort: 3 }),
  '.gif': image => image.gif({ effort: 7, dither: 0.5, colours: 64, reuse: false }),
};
const names = fs.readFileSync(0, 'utf8').trim().split('\n');
const shrink = (name, body) => settings[path.extname(name)](
  sharp(body, { animated: true }).autoOrient().resize({ width: +box, height: +box, fit: 'inside', withoutEnlargement: true })).toBuffer();

for (const name of names.slice(0, 10)) {
  await shrink(name, fs.readFileSync(name));
}
const times = [];
for (const name of names) {
  const body = fs.readFileSync(name);
  const before = process.cpuUsage();
  const small = await shrink(name, body);
  const used = process.cpuUsage(before);
  times.push((used.user + used.system) / 1000);
  fs.writeFileSync(path.join(out, path.basename(name)), small);
}
console.error(`sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`);
console.log(JSON.stringify(times));

// Measures the page in a real Chromium:  node bench/page/measure.mjs first | many [IMAGES]
//   first  from `git clone` to before and after of one's own image: seconds and clicks
//   many   a request of 100,000 images: time until it can be used, memory, smoothness of scrolling
// Both need Chromium and what building tests/Halftone.Tests leaves in artifacts/ (the browser's driver); many also the built program. Node 20 or newer.
import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { chromium } = createRequire(import.meta.url)(join(repository, 'artifacts/bin/Halftone.Tests/release/.playwright/package'));
const samples = join(repository, 'samples', 'images');
const folder = mkdtempSync(join(tmpdir(), 'halftone-page-'));
const stop = [];

async function main([what, images = '100000']) {
  if (what !== 'first' && what !== 'many') throw new Error('first or many?');
  console.log(`${cpus().length} × ${cpus()[0].model}, load ${loadavg()[0].toFixed(1)} before`);
  const origin = await serveSamples();
  await (what === 'first' ? first(origin) : many(origin, Number(images)));
}

async function first(origin) {
  const seconds = stopwatch();
  execFileSync('git', ['clone', '--quiet', repository, join(folder, 'clone')]);
  seconds('git clone');
  const project = join(folder, 'clone', 'src', 'Halftone');
  const server = await serve('dotnet', ['run', '-c', 'Release', '--project', project, '--'], 900);
  seconds('dotnet run … serve: restore, build, listening');
  const { page } = await open();
  await page.goto(server);
  await page.waitForSelector('#drop');
  seconds('the page is there');
  const csv = join(folder, 'mine.csv');
  writeFileSync(csv, `Product Name,Image\nMug,${origin}mug-front.jpg\n`);
  let clicks = 1;   // in the dialog of the system, which no script reaches: the file
  const click = async selector => { clicks++; await page.click(selector); };
  const chooser = page.waitForEvent('filechooser');
  await click('label[for=file]');
  await (await chooser).setFiles(csv);
  await page.waitForSelector('#start-button:visible');
  seconds('preview');
  await click('#start-button');
  await page.waitForSelector('#sheet img.there');
  seconds('compressed');
  await click('#sheet button');
  await page.waitForFunction(() => ['before-image', 'after-image'].every(id => document.getElementById(id).naturalWidth > 0));
  seconds('before and after');
  console.log(`${clicks} clicks, the one in the system's file dialog among them; with drag and drop ${clicks - 2}`);
}

async function many(origin, images) {
  const server = await serve(join(repository, 'artifacts/bin/Halftone/release/halftone'), [], 60);
  const names = readdirSync(samples);
  const csv = 'S. No.,Product Name,Input Image Urls\n' + Array.from({ length: images }, (_, i) => `${i + 1},Product ${i + 1},${origin}${names[i % names.length]}\n`).join('');
  const { request_id: id } = await (await fetch(`${server}upload`, { method: 'POST', headers: { 'Content-Type': 'text/csv' }, body: csv })).json();
  while (!(await (await fetch(`${server}status/${id}?limit=1`)).json()).finished_at) await new Promise(resolve => setTimeout(resolve, 500));

  const { page, session } = await open();
  await page.addInitScript(() => {
    window.longTasks = [];
    new PerformanceObserver(list => window.longTasks.push(...list.getEntries().map(entry => entry.duration))).observe({ type: 'longtask', buffered: true });
  });
  await page.goto(`${server}#/requests/${id}`);
  await page.waitForFunction(() => document.querySelector('#done').textContent !== '–' && document.querySelector('#sheet .name')?.textContent !== '');
  console.log(`usable (status and first images' names and sizes on show) after ${Math.round(await page.evaluate(() => performance.now()))} ms`);
  await page.waitForFunction(() => document.querySelector('#sheet img.there'));
  console.log(`first picture after ${Math.round(await page.evaluate(() => performance.now()))} ms; long tasks so far: ${await page.evaluate(() => `${window.longTasks.length}, the longest ${Math.round(Math.max(0, ...window.longTasks))} ms`)}`);
  console.log(`heap ${await heap(session)}, elements ${await elements(page)}`);

  // A steady scroll, then jumps all over the sheet.
  const frames = await page.evaluate(async () => {
    window.longTasks.length = 0;
    const times = [];
    let last = performance.now();
    for (let frame = 0; frame < 600; frame++) {
      scrollBy(0, 60);
      await new Promise(resolve => requestAnimationFrame(resolve));
      const now = performance.now();
      times.push(now - last);
      last = now;
    }
    return times.sort((a, b) => a - b);
  });
  const at = share => frames[Math.floor(share * (frames.length - 1))].toFixed(1);
  console.log(`scrolled by 60 pixels a frame, 600 frames: median ${at(0.5)} ms, 95th percentile ${at(0.95)} ms, longest ${at(1)} ms; long tasks: ${await page.evaluate(() => `${window.longTasks.length}, the longest ${Math.round(Math.max(0, ...window.longTasks))} ms`)}`);
  let most = 0;
  for (let jump = 0; jump < 100; jump++) {
    await page.evaluate(share => scrollTo(0, document.documentElement.scrollHeight * share), (jump * 37 % 100) / 100);
    await page.waitForTimeout(120);
    most = Math.max(most, await elements(page));
  }
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await page.waitForFunction(() => document.querySelector('#sheet li:last-child .name')?.textContent !== '');
  console.log(`after 100 jumps over the whole sheet: heap ${await heap(session)}, elements ${await elements(page)}, at most ${most}`);
}

const elements = page => page.evaluate(() => document.getElementsByTagName('*').length);

/** What is in use after everything that is garbage was collected. */
async function heap(session) {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return `${(usedSize / 1e6).toFixed(1)} MB`;
}

async function open() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'] });
  stop.push(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  return { page, session: await page.context().newCDPSession(page) };
}

function serve(program, before, seconds) {
  const server = spawn(program, [...before, 'serve', '--urls', 'http://127.0.0.1:0', '--data', join(folder, 'data'), '--allow-network', '127.0.0.1/32'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  stop.push(() => new Promise(resolve => {
    server.on('exit', resolve);
    process.kill(-server.pid);
  }));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The server did not start.')), 1000 * seconds);
    let text = '';
    server.stdout.on('data', data => {
      text += data;
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
      if (!address) return;
      clearTimeout(timer);
      resolve(address + '/');
    });
  });
}

function serveSamples() {
  const server = createServer((request, answer) => {
    answer.setHeader('Content-Type', { jpg: 'image/jpeg', png: 'image/png' }[request.url.split('.').at(-1)] ?? 'image/webp');
    answer.end(readFileSync(join(samples, request.url.slice(1))));
  });
  stop.push(() => server.close());
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}/`)));
}

function stopwatch() {
  let last = performance.now();
  const start = last;
  return name => {
    const now = performance.now();
    console.log(`${name.padEnd(50)} ${((now - last) / 1000).toFixed(1).padStart(6)} s, ${((now - start) / 1000).toFixed(1)} s in all`);
    last = now;
  };
}

try {
  await main(process.argv.slice(2));
} finally {
  for (const end of stop.reverse()) await end();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

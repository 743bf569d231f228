// One image, before and after.

import { byId, h, show, linkTo } from './dom.js';
import { number, bytes, saving, format } from './words.js';
import { showOutput } from './sheet.js';

const dialog = byId('compare');
const slide = byId('slide');

let at = 0;
let of = null;    // { requestId, sheet, messageOf }
let turn = 0;     // counts the images asked for; the last one wins
let awaited = null;   // position of an image that has no outcome yet, or is still loading

/** Opens the image at a position of a sheet. */
export async function look(position, requestId, sheet, messageOf) {
  of = { requestId, sheet, messageOf };
  await turnTo(position);
}

/** Refreshes an image that was waiting; the keyboard focus stays where it is. */
export function lookAgain() {
  // If the server cannot be reached, the page says so and calls this again later.
  if (awaited !== null) turnTo(awaited).catch(() => {});
}

async function turnTo(position) {
  const mine = ++turn;
  awaited = position;
  const image = await of.sheet.image(position);
  if (mine !== turn) return;
  if (image?.status !== 'PENDING') awaited = null;
  if (!image) return;
  at = position;
  byId('compare-name').textContent = image.product_name || image.serial_number || `Line ${image.line}`;
  byId('compare-previous').disabled = position === 0;
  byId('compare-next').disabled = position + 1 >= of.sheet.total;
  const isDone = image.status === 'COMPLETED';
  show(byId('compare-stage'), isDone);
  show(byId('compare-error'), image.status === 'FAILED');
  if (isDone) showPair(image);
  if (image.status === 'FAILED') {
    byId('compare-error').replaceChildren(
      of.messageOf(image.error_code), image.http_status ? ` The host answered ${image.http_status}.` : '', ' ',
      h('a', { href: `docs/errors/${encodeURIComponent(image.error_code)}` }, 'What this means and what to do'));
  }
  byId('compare-facts').replaceChildren(...factsOf(image).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
  if (dialog.open) return;
  dialog.showModal();
  focusFirst();
}

function focusFirst() {
  (byId('compare-stage').hidden ? byId('compare-name') : slide).focus();
}

/** The only place where this browser loads a source from its own host. A source that the server refused to fetch is never loaded. */
function showPair(image) {
  const [before, after] = [byId('before-image'), byId('after-image')];
  if (image.width && image.height) byId('compare-stage').style.setProperty('--ratio', image.width / image.height);
  show(byId('before-trouble'), false);
  slide.disabled = false;
  slide.value = 50;
  part();
  // Never show one image's source beside another's output, however slow a host is.
  for (const picture of [before, after]) picture.removeAttribute('src');
  after.alt = `After: ${byId('compare-name').textContent}`;
  showOutput(after, image.output_url, of.requestId);
  before.alt = `Before: ${byId('compare-name').textContent}`;
  before.onerror = () => {
    byId('before-trouble').textContent = 'This browser could not load the original from its host. Only the compressed image is shown.';
    show(byId('before-trouble'), true);
    slide.value = 0;
    slide.disabled = true;
    part();
    if (document.activeElement === document.body || document.activeElement === slide) byId('compare-name').focus();
  };
  before.src = image.input_url;
}

/** Moves the line; the source is on its left. */
function part() {
  byId('frame').style.setProperty('--part', `${slide.value}%`);
  slide.setAttribute('aria-valuetext', `${slide.value}% before, ${100 - slide.value}% after`);
}

function factsOf(image) {
  const isDone = image.status === 'COMPLETED';
  return [
    isDone ? ['Size', image.kept_original
      ? `${bytes(image.output_bytes)}: kept as is, because compressing it would not make it smaller`
      : `${bytes(image.input_bytes)} → ${bytes(image.output_bytes)}, ${saving(image.input_bytes, image.output_bytes)} saved`] : null,
    isDone ? ['Image', `${image.width ? `${number(image.width)} × ${number(image.height)} pixels, ` : ''}${format(image.output_url)}`] : null,
    image.reused ? ['Reused', 'from an earlier run; the original has not changed since'] : null,
    image.status === 'PENDING' ? ['State', of.sheet.hasEnded ? 'not done, because the run was cancelled' : 'waiting'] : null,
    ['Product', `${image.product_name}${image.serial_number ? ` (${image.serial_number})` : ''}`],
    ['In the file', `line ${number(image.line)}, image ${number(image.number)} of the row`],
    // A URL that the server did not fetch is not shown as a link.
    ['Original', isDone ? linkTo(image.input_url) : image.input_url],
    isDone ? ['Compressed', linkTo(image.output_url)] : null,
    ...(image.variants ?? []).map(variant =>
      [`Extra size ${variant.name}`, linkTo(variant.url, `${number(variant.width)} × ${number(variant.height)} pixels, ${format(variant.url)}, ${bytes(variant.bytes)}`)]),
  ].filter(Boolean);
}

slide.addEventListener('input', part);
byId('compare-close').addEventListener('click', () => dialog.close());
byId('compare-previous').addEventListener('click', () => step(-1, 'compare-previous'));
byId('compare-next').addEventListener('click', () => step(1, 'compare-next'));
dialog.addEventListener('click', event => event.target === dialog && dialog.close());
dialog.addEventListener('close', () => {
  turn++;
  awaited = null;
  for (const image of [byId('before-image'), byId('after-image')]) {
    image.onerror = null;
    image.removeAttribute('src');
  }
  of.sheet.focus(at);
});
// A finger or mouse on the picture moves the line too.
byId('frame').addEventListener('pointerdown', event => {
  if (slide.disabled) return;
  byId('frame').setPointerCapture(event.pointerId);
  drag(event);
});
byId('frame').addEventListener('pointermove', event => event.buttons > 0 && !slide.disabled && drag(event));

function drag(event) {
  const box = byId('frame').getBoundingClientRect();
  slide.value = Math.round(100 * (event.clientX - box.left) / box.width);
  part();
}

async function step(by, button) {
  await turnTo(at + by);
  if (byId(button).disabled) focusFirst();
  else byId(button).focus();
}

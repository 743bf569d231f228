// Takes a file, shows its preview and starts the run; below it, the list of runs.

import { byId, h, show, announce } from './dom.js';
import { upload, newIdempotencyKey, Problem } from './api.js';
import { number, count, bytes } from './words.js';
import { firstRows } from './rows.js';
import * as requests from './requests.js';

const RowsShown = 8;
const HostsShown = 6;
const FieldOfCode = { invalid_quality: 'quality', invalid_max_width: 'max-width', invalid_max_height: 'max-height', invalid_variants: 'variants', invalid_webhook_url: 'webhook-url' };

let chosen = null;     // the file, and the key that makes starting it twice one request
let checking = null;   // aborts the preview

export async function enter(signal) {
  await requests.follow(signal);
}

export function listen() {
  byId('file').addEventListener('change', event => {
    const [file] = event.target.files;
    event.target.value = '';   // So that the same file can be chosen again after it was fixed.
    if (file) take(file);
  });
  listenToDrops();
  document.addEventListener('paste', event => {
    if (isField(event.target) || document.querySelector('dialog[open]')) return;
    const [file] = event.clipboardData.files;
    const text = event.clipboardData.getData('text/plain');
    if (!file && text.trim() === '') return;
    event.preventDefault();
    take(file ?? new File([text], 'pasted.csv', { type: 'text/csv' }));
  });
  byId('start').addEventListener('submit', event => {
    event.preventDefault();
    start();
  });
  byId('drop-it').addEventListener('click', () => {
    const wasRefused = byId('start-button').hidden;
    putAway();
    byId('file').focus();
    if (wasRefused) byId('file').click();
  });
  for (const id of Object.values(FieldOfCode)) byId(id).addEventListener('input', () => byId(id).removeAttribute('aria-invalid'));
}

const isField = element => element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;

function listenToDrops() {
  let depth = 0;   // dragenter and dragleave fire for each element under the pointer.
  const mark = isOver => byId('drop').classList.toggle('over', isOver);
  window.addEventListener('dragenter', event => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    depth++;
    mark(true);
  });
  window.addEventListener('dragleave', () => {
    depth = Math.max(0, depth - 1);
    mark(depth > 0);
  });
  window.addEventListener('dragover', event => event.preventDefault());
  window.addEventListener('drop', event => {
    event.preventDefault();
    depth = 0;
    mark(false);
    const [file] = event.dataTransfer.files;
    if (file) take(file);
  });
}

/** Previews a file; the server keeps nothing of it. */
async function take(file) {
  putAway();
  if (!byId('home').checkVisibility()) location.hash = '#/';
  chosen = { file, idempotencyKey: newIdempotencyKey() };
  checking = new AbortController();
  const { signal } = checking;
  showSending(`Reading ${file.name}`, 0, 0);
  try {
    const checked = await upload(file, { validate_only: 'true' }, { signal, onSent: (sent, total) => showSending(`Reading ${file.name}`, sent, total) });
    const rows = checked.dialect ? await firstRows(file, checked.dialect, RowsShown + 1) : [];
    signal.throwIfAborted();
    showPreview(file, checked, rows);
  } catch (error) {
    if (signal.aborted) return;
    showRefusal(file, error);
  } finally {
    if (!signal.aborted) show(byId('checking'), false);
  }
}

function putAway() {
  checking?.abort();
  chosen = null;
  for (const id of ['checking', 'preview', 'start-trouble']) show(byId(id), false);
  byId('start').reset();
}

function showSending(words, sent, total) {
  byId('checking-words').textContent = words;
  const bar = byId('checking-bar');
  if (total > 0 && sent < total) bar.value = sent / total;
  else bar.removeAttribute('value');
  show(byId('checking'), true);
}

function showPreview(file, checked, rows) {
  const { errors, error_count: problems } = checked;
  byId('preview-name').textContent = file.name;
  byId('preview-sum').textContent =
    `${count(checked.products, 'product')} with ${count(checked.images, 'image')}${checked.hosts.length > 0 ? ` from ${count(checked.hosts.length, 'host')}${checked.hosts.length === 100 ? ' or more' : ''}` : ''}. ${bytes(file.size)}${dialectWords(checked.dialect)}.`;
  showProblems(errors, problems);
  showColumns(checked.columns);
  showHosts(checked.hosts);
  showRows(rows, checked);
  show(byId('start-button'), checked.valid);
  show(byId('options'), checked.valid);
  byId('start-button').textContent = checked.images === 0 ? 'Continue without images' : `Compress ${count(checked.images, 'image')}`;
  byId('drop-it').textContent = checked.valid ? 'Remove file' : 'Choose another file';
  for (const block of document.querySelectorAll('#preview .columns, #rows-title, #rows-title + .scroll')) show(block, rows.length > 0);
  reveal(checked.valid
    ? `${file.name} is ready: ${count(checked.products, 'product')}, ${count(checked.images, 'image')}.`
    : `${file.name} cannot be used yet: ${count(problems, 'problem')}.`);
}

/** The server read none of the file: it is too large, its type is not supported, or the server did not answer. */
function showRefusal(file, error) {
  const isFile = error instanceof Problem && error.body.errors;
  showPreview(file, {
    valid: false,
    products: 0,
    images: 0,
    hosts: [],
    errors: isFile ? error.body.errors : [{ message: error.message, code: error.code }],
    error_count: isFile ? error.body.error_count : 1,
  }, []);
  byId('preview-sum').textContent = `${bytes(file.size)}.`;
}

function reveal(sentence) {
  show(byId('preview'), true);
  byId('preview-name').focus({ preventScroll: true });
  byId('preview').scrollIntoView({ block: 'start', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  announce(sentence);
}

function dialectWords(dialect) {
  if (!dialect) return '';
  const [encoding, delimiter] = dialect.split(' ');
  const encodings = { 'utf-8': 'UTF-8', 'utf-16le': 'UTF-16', 'utf-16be': 'UTF-16', 'windows-1252': 'Windows-1252' };
  const delimiters = { comma: 'comma', semicolon: 'semicolon', tab: 'tab', pipe: 'pipe' };
  return `, ${delimiters[delimiter] ?? delimiter}-separated, ${encodings[encoding.replace(/-?bom$/, '')] ?? encoding}`;
}

function showProblems(errors, problems) {
  show(byId('preview-problems'), problems > 0);
  byId('problems-title').textContent = count(problems, 'problem');
  byId('problems-advice').textContent =
    `Nothing has been uploaded yet. Fix ${problems === 1 ? 'it' : 'them'} in your spreadsheet, save it as CSV, and drop the file here again.`
    + (problems > errors.length ? ` Only the first ${errors.length} are listed.` : '');
  byId('problems-table').tBodies[0].replaceChildren(...errors.map(({ line, column, code, message }) => h('tr', {},
    h('td', { class: line === undefined ? 'num whole' : 'num' }, line === undefined ? 'whole file' : number(line)),
    h('td', {}, column ?? ''),
    h('td', {}, message, ' ', code ? h('a', { href: `docs/errors/${encodeURIComponent(code)}`, 'aria-label': `More about ${code}` }, 'More') : null))));
}

function showColumns(columns) {
  if (!columns) return byId('preview-columns').replaceChildren();
  const known = [columns.serial_number, columns.product_name, columns.image_urls];
  const rest = columns.all.filter(name => !known.includes(name));
  byId('preview-columns').replaceChildren(...[
    ['Image URLs', columns.image_urls ?? 'not found'],
    ['Product name', columns.product_name ?? 'none'],
    ['Product number (SKU)', columns.serial_number ?? 'none'],
    rest.length > 0 ? ['Left unchanged', rest.join(', ')] : null,
  ].filter(Boolean).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

function showHosts(hosts) {
  const rest = hosts.slice(HostsShown);
  byId('preview-hosts').replaceChildren(
    ...hosts.slice(0, HostsShown).map(({ host, count: images }) => h('li', {}, h('span', {}, host), h('span', { class: 'num' }, count(images, 'image')))),
    rest.length > 0 ? h('li', {}, h('span', {}, `and ${count(rest.length, 'other')}`), h('span', { class: 'num' }, count(rest.reduce((sum, { count: images }) => sum + images, 0), 'image'))) : '',
    hosts.length === 0 ? h('li', {}, 'No image URLs.') : '');
}

function showRows(rows, checked) {
  const [header = [], ...body] = rows;
  const urls = header.indexOf(checked.columns?.image_urls);
  const width = Math.max(0, ...rows.map(cells => cells.length));
  const places = cells => Array.from({ length: width }, (_, i) => cells[i] ?? '');
  byId('preview-rows').replaceChildren(
    h('thead', {}, h('tr', {}, ...places(header).map((cell, i) => h(cell === '' ? 'td' : 'th', { scope: cell === '' ? null : 'col', class: i === urls ? 'urls' : null }, cell)))),
    h('tbody', {}, ...body.map(cells => h('tr', {}, ...places(cells).map((cell, i) => h('td', { class: i === urls ? 'urls' : null }, cell))))));
}

async function start() {
  if (chosen === null || byId('start-button').getAttribute('aria-disabled') === 'true') return;
  const { file, idempotencyKey } = chosen;
  const fields = { quality: byId('quality').value, format: byId('format').value };
  // A number field with invalid text reads as empty; send something the server refuses, so that its message is shown.
  for (const id of ['max-width', 'max-height']) {
    const { value, validity } = byId(id);
    if (value !== '' || validity.badInput) fields[byId(id).name] = value || 'no number';
  }
  for (const id of ['variants', 'webhook-url']) {
    const value = byId(id).value.trim();
    if (value !== '') fields[byId(id).name] = value;
  }
  if (byId('escape').checked) fields.escape_formulas = 'true';
  if (byId('afresh').checked) fields.reuse = 'false';
  show(byId('start-trouble'), false);
  byId('start-button').setAttribute('aria-disabled', 'true');
  showSending(`Sending ${file.name}`, 0, 0);
  try {
    const { request_id: id } = await upload(file, fields, { idempotencyKey, onSent: (sent, total) => showSending(`Sending ${file.name}`, sent, total) });
    putAway();
    location.hash = `#/requests/${id}`;
  } catch (error) {
    // An earlier attempt, whose answer was lost, was accepted with other options: the next attempt is a new upload. Other refusals do not use up the key.
    if (error.code === 'idempotency_key_reused') chosen.idempotencyKey = newIdempotencyKey();
    showStartTrouble(error);
  } finally {
    show(byId('checking'), false);
    byId('start-button').removeAttribute('aria-disabled');
  }
}

function showStartTrouble(error) {
  byId('start-trouble').replaceChildren(error.message, ' ', error.code ? linkToPage(error.code) : '');
  show(byId('start-trouble'), true);
  const field = FieldOfCode[error.code];
  if (!field) return;
  byId('options').open = true;
  byId(field).setAttribute('aria-invalid', 'true');
  byId(field).focus();
}

const linkToPage = code => h('a', { href: `docs/errors/${encodeURIComponent(code)}` }, 'What this means');

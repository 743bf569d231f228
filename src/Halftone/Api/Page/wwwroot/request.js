// One run: its progress, failures, images and actions.

import { byId, h, show, setText, announce, confirmed } from './dom.js';
import { get, post, remove, follow, download, key, address } from './api.js';
import { number, count, bytes, duration, pace, percent, time, state } from './words.js';
import { Sheet } from './sheet.js';
import { look, lookAgain } from './compare.js';
import { deliveryLog } from './deliveries.js';

const PaceSeconds = 10;

let id = null;
let again = null;      // starts following again after a retry
let samples = [];      // [when, images done] of the last seconds
let latest = null;

export async function enter(signal, requestId) {
  id = requestId;
  latest = null;
  blank();
  const first = await get(`status/${id}?limit=1`, { signal });
  byId('request-name').textContent = first.file_name;
  byId('request-name').focus({ preventScroll: true });
  const sheet = new Sheet(id, position => look(position, id, sheet, messageOf), lookAgain, signal);
  render(first, sheet);
  showDeliveries(signal);
  for (;;) {
    const restarted = new Promise(resolve => again = resolve);
    samples = [];
    if (!latest.finished_at) await followToTheEnd(sheet, signal);
    signal.throwIfAborted();
    await Promise.race([restarted, new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))]);
  }
}

/** Closes the stream while the page is hidden, because a browser has six connections to a server for all its tabs. */
async function followToTheEnd(sheet, signal) {
  while (!latest.finished_at) {
    const look = new AbortController();
    const stop = () => look.abort();
    const onHidden = () => document.hidden && look.abort();
    signal.addEventListener('abort', stop, { once: true });
    document.addEventListener('visibilitychange', onHidden);
    try {
      await follow(id, { onStatus: status => render(status, sheet), onConnection: showConnection, signal: look.signal });
    } catch (error) {
      if (!look.signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      document.removeEventListener('visibilitychange', onHidden);
    }
    signal.throwIfAborted();
    if (document.hidden) await new Promise(resolve => document.addEventListener('visibilitychange', resolve, { once: true }));
  }
  sheet.invalidate();
  showDeliveries(signal);
}

export function listen() {
  byId('retry').addEventListener('click', () => act('retry', 'Retrying.'));
  byId('cancel').addEventListener('click', () => act('cancel', 'Cancelling.'));
  byId('delete').addEventListener('click', async () => {
    if (!await confirmed(`Delete ${latest.file_name}?`, 'This deletes the images and the CSV. Pages that use these image addresses will show broken images.', 'Delete permanently')) return;
    await remove(`requests/${id}`);
    location.hash = '#/';
    announce('Run deleted.');
  });
  byId('replay').addEventListener('click', async () => {
    await post('webhook', { request_id: id });
    announce('Resending the event.');
    setTimeout(() => showDeliveries(), 700);
  });
  // With a key the file is fetched by a call, because a link cannot send the key.
  for (const link of ['get-csv', 'get-failed', 'get-ndjson']) {
    byId(link).addEventListener('click', event => {
      if (key.get() === null) return;
      event.preventDefault();
      download(new URL(event.currentTarget.href).pathname.slice(new URL(document.baseURI).pathname.length));
    });
  }
}

async function act(verb, sentence) {
  const button = byId(verb);
  button.disabled = true;
  try {
    latest = await post(`requests/${id}/${verb}`);
    announce(sentence);
    byId('request-name').focus({ preventScroll: true });
    again?.();
  } finally {
    button.disabled = false;
  }
}

function blank() {
  for (const part of ['connection', 'errors', 'get-csv', 'get-failed', 'get-ndjson', 'retry', 'cancel', 'replay']) show(byId(part), false);
  for (const figure of ['saved', 'before', 'after', 'done', 'failed', 'waiting', 'pace', 'eta']) byId(figure).textContent = '–';
  byId('request-name').textContent = 'Run';
  byId('request-state').textContent = byId('request-when').textContent = '';
  byId('told-log').replaceChildren();
}

function showConnection(isThere) {
  if (byId('connection').hidden === isThere) return;
  byId('connection').textContent = 'The connection to the server was lost. Reconnecting…';
  show(byId('connection'), !isThere);
  announce(isThere ? 'Reconnected.' : 'Connection lost. Reconnecting.');
}

function render(status, sheet) {
  const before = latest;
  latest = status;
  const { total, completed, failed } = status.progress;
  const done = completed + failed;
  const hasEnded = status.finished_at !== undefined;
  document.title = `${hasEnded ? state(status.status) : `${status.progress.percent}%`} – ${status.file_name} – Halftone`;

  setText(byId('request-state'), state(status.status));
  byId('request-state').className = `word ${status.status.toLowerCase()}`;
  setText(byId('request-when'), hasEnded ? time(status.finished_at) : `since ${time(status.created_at)}`);
  byId('bar').max = Math.max(1, total);
  byId('bar').value = total === 0 ? 1 : done;

  const hasBytes = status.bytes.input > 0;
  setText(byId('saved'), hasBytes ? percent(status.bytes.saved_percent) : '–');
  setText(byId('before'), hasBytes ? bytes(status.bytes.input) : '–');
  setText(byId('after'), hasBytes ? bytes(status.bytes.output) : '–');
  setText(byId('done'), number(completed));
  setText(byId('failed'), number(failed));
  // Images left undone by a cancel are not waiting.
  setText(byId('waiting-name'), hasEnded && done < total ? 'Not done' : 'Waiting');
  setText(byId('waiting'), number(total - done));
  byId('failed').classList.toggle('some', failed > 0);
  show(byId('reused-fact'), status.reused > 0);
  setText(byId('reused'), number(status.reused ?? 0));
  showPace(status, done, hasEnded);
  showActions(status, hasEnded);
  showErrors(status.errors, failed);
  sheet.update(status.progress, hasEnded);
  tell(before, status, hasEnded);
}

/** The pace over the last seconds; for a finished run, over its whole time. */
function showPace(status, done, hasEnded) {
  const now = performance.now() / 1000;
  samples.push([now, done]);
  while (samples.length > 2 && now - samples[1][0] > PaceSeconds) samples.shift();
  const [[since, doneThen]] = samples;
  const recent = now - since > 0.5 ? (done - doneThen) / (now - since) : 0;
  const overall = done / Math.max(0.001, (new Date(status.finished_at ?? status.updated_at) - new Date(status.created_at)) / 1000);
  const perSecond = hasEnded ? overall : recent;
  setText(byId('pace'), perSecond > 0 ? pace(perSecond) : '–');
  setText(byId('eta-name'), hasEnded ? 'Took' : 'Time left');
  const left = recent > 0 ? (status.progress.total - done) / recent : status.progress.eta_seconds;
  setText(byId('eta'), hasEnded ? duration((new Date(status.finished_at) - new Date(status.created_at)) / 1000) : left > 0 ? duration(left) : '–');
}

function showActions(status, hasEnded) {
  const { total, completed, failed } = status.progress;
  show(byId('get-csv'), status.result_url !== undefined);
  show(byId('get-ndjson'), hasEnded);
  show(byId('get-failed'), hasEnded && failed > 0);
  byId('get-csv').href = address(`results/${id}.csv`);
  byId('get-ndjson').href = address(`results/${id}.ndjson`);
  byId('get-failed').href = address(`results/${id}/failed.csv`);
  show(byId('retry'), hasEnded && completed < total);
  setText(byId('retry'), failed < total - completed ? `Resume (${number(total - completed)} left)` : `Retry ${count(failed, 'failed image')}`);
  show(byId('cancel'), !hasEnded);
}

function showErrors(errors, failed) {
  show(byId('errors'), errors.length > 0);
  setText(byId('errors-title'), `${count(failed, 'image')} failed`);
  const shown = JSON.stringify(errors);
  if (byId('errors-list').dataset.shown === shown) return;
  byId('errors-list').dataset.shown = shown;
  byId('errors-list').replaceChildren(...errors.map(({ code, count: images, message, hosts }) => h('li', {},
    h('p', {}, h('b', { class: 'num' }, number(images)), ' ', message),
    h('p', { class: 'hosts-line' }, 'At ', ...hosts.slice(0, 5).flatMap(({ host, count: at }, i) => [i > 0 ? ', ' : '', h('b', {}, host || 'no host'), ` (${number(at)})`]), hosts.length > 5 ? ` and ${hosts.length === 20 ? 'others' : count(hosts.length - 5, 'other')}` : '', '.'),
    h('p', {}, h('a', { href: `docs/errors/${encodeURIComponent(code)}` }, 'What this means and what to do', h('span', { class: 'unseen' }, `: ${code}`)), ' ', h('code', { 'aria-hidden': 'true' }, code)))));
}

const messageOf = code => latest.errors.find(error => error.code === code)?.message ?? 'This image failed.';

/** Announces progress at each quarter and at the end; more would drown out everything else a screen reader says. */
function tell(before, status, hasEnded) {
  if (before === null) return;
  const { progress, bytes: sizes } = status;
  if (hasEnded && !before.finished_at) {
    announce(`${state(status.status)}: ${count(progress.completed, 'image')} done, ${number(progress.failed)} failed, ${percent(sizes.saved_percent)} saved.`);
  } else if (!hasEnded && Math.floor(progress.percent / 25) > Math.floor(before.progress.percent / 25)) {
    announce(`${progress.percent}% done.`);
  }
}

async function showDeliveries(signal) {
  const { deliveries } = await get(`requests/${id}/deliveries`, { signal });
  show(byId('told-none'), deliveries.length === 0);
  show(byId('replay'), deliveries.length > 0 && latest?.finished_at !== undefined);
  byId('told-log').replaceChildren(deliveryLog(deliveries));
}

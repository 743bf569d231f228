// The list of runs, newest first.

import { byId, h, show } from './dom.js';
import { get, Problem } from './api.js';
import { number, count, time, percent, state } from './words.js';

const Page = 20;
const Pause = 3000;

let shown = [];
let next = null;

export async function follow(signal) {
  byId('requests-more').onclick = () => more(signal);
  for (;;) {
    const answer = await look(signal);
    if (answer === null) {
      await pause(signal, Pause);
      continue;
    }
    const { requests, next_cursor } = answer;
    // Replace the first page; keep the older ones.
    const isFirst = shown.length <= Page;
    shown = isFirst ? requests : [...requests, ...shown.filter(old => old.request_id < requests.at(-1)?.request_id)];
    if (isFirst) next = next_cursor ?? null;
    render();
    await pause(signal, requests.some(request => !request.finished_at) ? Pause : 5 * Pause);
  }
}

/** The first page; null if the server is away or busy, which the page says before it asks again. */
async function look(signal) {
  try {
    const answer = await get(`requests?limit=${Page}`, { signal });
    show(byId('requests-away'), false);
    return answer;
  } catch (error) {
    if (!(error instanceof Problem) || (error.status > 0 && error.status < 500)) throw error;
    byId('requests-away').textContent = `${error.message} Retrying…`;
    show(byId('requests-away'), true);
    return null;
  }
}

async function more(signal) {
  const { requests, next_cursor } = await get(`requests?limit=${Page}&cursor=${encodeURIComponent(next)}`, { signal });
  next = next_cursor ?? null;
  const before = shown.length;
  shown = [...shown, ...requests];
  render();
  byId('requests').children[before]?.querySelector('a').focus();
}

function render() {
  show(byId('requests-none'), shown.length === 0);
  show(byId('requests-more'), next !== null);
  const list = byId('requests');
  // Unchanged runs keep their element, and with it the focus.
  const elements = new Map([...list.children].map(element => [element.dataset.id, element]));
  const wanted = shown.map(request => {
    const element = elements.get(request.request_id) ?? h('li', { 'data-id': request.request_id });
    const words = wordsOf(request);
    if (element.dataset.words !== words) {
      element.dataset.words = words;
      const hadFocus = element.contains(document.activeElement);
      element.replaceChildren(...partsOf(request));
      if (hadFocus) element.querySelector('a').focus();
    }
    return element;
  });
  if (wanted.length !== list.children.length || wanted.some((element, i) => list.children[i] !== element)) list.replaceChildren(...wanted);
}

const wordsOf = ({ file_name, status, progress, bytes }) => JSON.stringify([file_name, status, progress, bytes]);

function partsOf({ request_id, file_name, status, progress, bytes, created_at, finished_at }) {
  const done = progress.completed + progress.failed;
  return [
    h('a', { href: `#/requests/${request_id}` }, file_name),
    h('span', { class: `word ${status.toLowerCase()}` }, state(status)),
    h('span', { class: 'amount' }, finished_at ? count(progress.total, 'image') : `${number(done)} of ${count(progress.total, 'image')}`, progress.failed > 0 ? h('em', {}, `, ${number(progress.failed)} failed`) : null),
    h('span', { class: 'amount' }, bytes.input > 0 ? `${percent(bytes.saved_percent)} saved` : ''),
    h('time', { datetime: created_at }, time(created_at)),
  ];
}

function pause(signal, milliseconds) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(wake, milliseconds);
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    signal.addEventListener('abort', stop, { once: true });
    // A hidden page sends no calls.
    function wake() {
      if (document.hidden) return document.addEventListener('visibilitychange', wake, { once: true });
      signal.removeEventListener('abort', stop);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    }
  });
}

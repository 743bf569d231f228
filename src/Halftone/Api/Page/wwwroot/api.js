// Calls to the public API (docs/api.md); the page uses nothing else.

const KeyName = 'halftone-api-key';
const Patience = 45_000;   // The server sends something at least every 15 s.

export const key = {
  get: () => sessionStorage.getItem(KeyName),
  set(text) { sessionStorage.setItem(KeyName, text); },
  forget() { sessionStorage.removeItem(KeyName); },
  /** Asks the person; set by key.js. */
  ask: async () => { throw new Problem(401, {}); },
};

/** An unsuccessful answer, with the server's message. */
export class Problem extends Error {
  constructor(status, body, retryAfter = 0) {
    super(body.detail ?? body.title ?? (status === 0 ? 'The server is not answering. Check that it is running and try again.' : `The server answered ${status}.`));
    this.status = status;
    this.code = body.code ?? '';
    this.body = body;
    this.retryAfter = retryAfter;
  }
}

// The page is served at / and at /api/v1/.
export const address = path => new URL(path, document.baseURI).href;

const withKey = headers => key.get() ? { ...headers, Authorization: `Bearer ${key.get()}` } : headers;

const sleep = (milliseconds, signal) => new Promise((resolve, reject) => {
  signal?.throwIfAborted();
  const timer = setTimeout(resolve, milliseconds);
  signal?.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});

async function problemOf(answer) {
  const body = await answer.json().catch(() => ({}));
  return new Problem(answer.status, body, Number(answer.headers.get('Retry-After') ?? 0));
}

/** Sends a call. Asks for a key on 401, and repeats a GET after 429 up to four times. */
export async function send(path, { method = 'GET', json, signal, headers = {} } = {}) {
  for (let attempt = 1; ; attempt++) {
    const sent = key.get();
    let answer;
    try {
      answer = await fetch(address(path), {
        method,
        signal,
        headers: withKey(json === undefined ? headers : { ...headers, 'Content-Type': 'application/json' }),
        body: json === undefined ? undefined : JSON.stringify(json),
        cache: 'no-cache',
      });
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw new Problem(0, {});
    }
    if (answer.ok) return answer;
    const problem = await problemOf(answer);
    if (problem.status === 401) await key.ask(sent, problem);
    else if (method === 'GET' && problem.status === 429 && attempt <= 4) await sleep(1000 * Math.max(1, problem.retryAfter), signal);
    else throw problem;
  }
}

export const get = async (path, options) => (await send(path, options)).json();

export async function post(path, json) {
  const answer = await send(path, { method: 'POST', json });
  return answer.json();
}

export const remove = path => send(path, { method: 'DELETE' });

/**
 * Uploads a file. Asks for a key on 401, and waits while an earlier upload with the same idempotency key is still being read.
 * Uses XMLHttpRequest, because fetch does not report upload progress.
 */
export async function upload(file, fields, { onSent, signal, idempotencyKey } = {}) {
  for (;;) {
    const sent = key.get();
    try {
      return await uploadOnce(file, fields, onSent, signal, idempotencyKey);
    } catch (problem) {
      if (problem.status === 401) await key.ask(sent, problem);
      else if (problem.code === 'idempotency_key_in_use') await sleep(1000 * (problem.retryAfter || 2), signal);
      else throw problem;
    }
  }
}

function uploadOnce(file, fields, onSent, signal, idempotencyKey) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('file', file, file.name);
    const call = new XMLHttpRequest();
    call.open('POST', address('upload'));
    for (const [name, value] of Object.entries(withKey(idempotencyKey ? { 'Idempotency-Key': idempotencyKey } : {}))) call.setRequestHeader(name, value);
    call.responseType = 'json';
    call.upload.onprogress = event => onSent?.(event.loaded, event.total);
    call.onload = () => call.status === 200 ? resolve(call.response) : reject(new Problem(call.status, call.response ?? {}, Number(call.getResponseHeader('Retry-After') ?? 0)));
    call.onerror = () => reject(new Problem(0, {}));
    call.onabort = () => reject(new DOMException('Aborted', 'AbortError'));
    signal?.addEventListener('abort', () => call.abort(), { once: true });
    call.send(form);
  });
}

/**
 * Follows a request until it has ended. Passes each status to `onStatus`; `onConnection(false)` reports that the stream broke and is being reopened.
 * Not EventSource, which cannot send a key. Returns at the end; throws on abort or for a Problem that another attempt would not fix.
 */
export async function follow(id, { onStatus, onConnection, signal }) {
  for (let broken = 0; ;) {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const answer = await send(`status/${id}/events`, { signal: attempt.signal, headers: { Accept: 'text/event-stream' } });
      for await (const { event, data } of eventsOf(answer.body, stop)) {
        broken = 0;
        onConnection(true);
        if (event === 'status') onStatus(JSON.parse(data));
        if (event === 'end') return;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
    onConnection(false);
    await sleep(Math.min(5000, 250 * 2 ** broken++) * (0.75 + Math.random() / 2), signal);
  }
}

/** Parses the part of server-sent events (WHATWG HTML, section 9.2) that the server uses; calls `giveUp` after a long silence. */
async function* eventsOf(body, giveUp) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const timer = setTimeout(giveUp, Patience);
    const { value, done } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return;
    text += value;
    const blocks = text.split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const event = { event: 'message', data: '' };
      for (const line of block.split('\n')) {
        const colon = line.indexOf(': ');
        if (colon > 0) event[line.slice(0, colon)] = line.slice(colon + 2);
      }
      yield event;
    }
  }
}

/** Downloads a file that needs the key. Without a key a plain link does this, and the file never passes through this page's memory. */
export async function download(path) {
  const answer = await send(path);
  const name = /filename="?([^";]+)"?/.exec(answer.headers.get('Content-Disposition') ?? '')?.[1] ?? 'result.csv';
  const url = URL.createObjectURL(await answer.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A random key that makes an upload sent twice one request. Not randomUUID, which requires https. */
export const newIdempotencyKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');

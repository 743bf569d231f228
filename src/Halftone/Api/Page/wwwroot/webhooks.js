// Webhooks: add, test, show deliveries, remove.

import { byId, h, show, announce, confirmed } from './dom.js';
import { get, post, remove } from './api.js';
import { time } from './words.js';
import { deliveryLog } from './deliveries.js';

const PingPause = 400;
const PingPatience = 60;

let leave = null;   // the signal of the view

export async function enter(signal) {
  leave = signal;
  show(byId('secret'), false);
  show(byId('register-trouble'), false);
  await refresh();
}

export function listen() {
  byId('register').addEventListener('submit', event => {
    event.preventDefault();
    register();
  });
  byId('callback').addEventListener('input', () => byId('callback').removeAttribute('aria-invalid'));
  byId('secret-copy').addEventListener('click', async () => {
    await navigator.clipboard?.writeText(byId('secret-text').textContent);
    announce('Copied.');
  });
}

async function refresh() {
  const { webhooks } = await get('webhook', { signal: leave });
  show(byId('webhooks-none'), webhooks.length === 0);
  byId('webhook-list').replaceChildren(...webhooks.map(item));
}

async function register() {
  const url = byId('callback').value.trim();
  show(byId('register-trouble'), false);
  try {
    const { secret } = await post('webhook', { callback_url: url });
    byId('register').reset();
    byId('secret-url').textContent = url;
    byId('secret-text').textContent = secret;
    show(byId('secret'), true);
    byId('secret-title').focus();
    await refresh();
  } catch (error) {
    if (!(error.status >= 400 && error.status < 500)) throw error;
    byId('register-trouble').textContent = error.message;
    show(byId('register-trouble'), true);
    byId('callback').setAttribute('aria-invalid', 'true');
    byId('callback').focus();
  }
}

function item(webhook) {
  const log = h('div', { class: 'log' });
  const words = h('p', { class: 'quiet-words', role: 'status' });
  const details = h('details', { ontoggle: () => details.open && showLog(webhook, log) }, h('summary', {}, 'Delivery log'), log);
  const test = h('button', {
    type: 'button',
    class: 'button quiet',
    disabled: webhook.disabled_at !== undefined,
    'aria-label': `Send a test to ${webhook.callback_url}`,
    onclick: () => ping(webhook, test, words, details, log),
  }, 'Send a test');
  return h('li', {},
    h('p', {}, h('b', { class: 'url' }, webhook.callback_url)),
    h('p', { class: 'quiet-words' },
      webhook.request_id ? h('a', { href: `#/requests/${webhook.request_id}` }, 'For one run') : 'For every run', `, since ${time(webhook.created_at)}`,
      webhook.disabled_at ? `. Disabled ${time(webhook.disabled_at)}, because it answered 410 Gone. To use it again, remove it and add it again` : '', '.'),
    h('p', { class: 'actions' }, test, ' ', h('button', { type: 'button', class: 'button quiet danger', 'aria-label': `Remove ${webhook.callback_url}`, onclick: () => take(webhook) }, 'Remove')),
    words,
    details);
}

async function showLog({ webhook_id }, log) {
  const { deliveries } = await get(`webhook/${webhook_id}/deliveries`, { signal: leave });
  log.replaceChildren(deliveries.length === 0 ? 'Nothing sent yet.' : deliveryLog(deliveries));
}

async function ping(webhook, button, words, details, log) {
  button.disabled = true;
  words.textContent = 'Sending a test…';
  try {
    const deliveries = async () => (await get(`webhook/${webhook.webhook_id}/deliveries`, { signal: leave })).deliveries;
    const before = (await deliveries())[0]?.message_id;
    await post(`webhook/${webhook.webhook_id}/ping`);
    for (let look = 0; look < PingPatience; look++) {
      const [newest] = await deliveries();
      if (newest && newest.message_id !== before && newest.status !== 'PENDING') {
        words.textContent = newest.status === 'DELIVERED' ? 'The test was delivered.' : 'The test was not delivered. See the log for the reason.';
        details.open = true;
        return await showLog(webhook, log);
      }
      await new Promise(resolve => setTimeout(resolve, PingPause));
    }
    words.textContent = 'The test is still being sent. Check the log later.';
  } catch (error) {
    words.textContent = error.message;
  } finally {
    button.disabled = false;
    button.focus();
  }
}

async function take(webhook) {
  if (!await confirmed('Remove this webhook?', `No more messages will be sent to ${webhook.callback_url}.`, 'Remove')) return;
  await remove(`webhook/${webhook.webhook_id}`);
  announce('Webhook removed.');
  await refresh();
  byId('callback').focus();
}

// The log of webhook deliveries and their answers.

import { h } from './dom.js';
import { number, time } from './words.js';

const states = { PENDING: 'sending', DELIVERED: 'delivered', FAILED: 'failed' };

export function deliveryLog(deliveries) {
  if (deliveries.length === 0) return '';
  return h('ol', { class: 'deliveries' }, ...deliveries.map(({ message_id, request_id, endpoint, status, next_attempt_at, attempts }) => h('li', {},
    h('p', {}, h('b', { class: `word ${status.toLowerCase()}` }, states[status] ?? status), ': ', request_id ? h('a', { href: `#/requests/${request_id}` }, 'a finished run') : 'a test', ' to ', h('span', { class: 'url' }, endpoint)),
    attempts.length === 0
      ? h('p', { class: 'quiet-words' }, 'Not sent yet.')
      : h('ol', { class: 'attempts', 'aria-label': `Attempts of ${message_id}` }, ...attempts.map(attempt => h('li', {},
        h('time', { datetime: attempt.attempted_at }, time(attempt.attempted_at)), `: ${answerOf(attempt)} in ${number(attempt.milliseconds)} ms`))),
    next_attempt_at && attempts.length > 0 ? h('p', { class: 'quiet-words' }, `Next attempt: ${time(next_attempt_at)}.`) : null)));
}

function answerOf({ http_status, error }) {
  if (http_status) return `answered ${http_status}`;
  return `no answer (${(error ?? 'unknown').replaceAll('_', ' ')})`;
}

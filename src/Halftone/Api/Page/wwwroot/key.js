// The API key: asked for when the server wants one, kept in this tab's sessionStorage, never in an address.

import { byId, show, announce } from './dom.js';
import { key, Problem } from './api.js';

let asking = null;

/** One dialog for all calls that wait for it. `sent` is the key that was refused, or null where none was sent. */
key.ask = (sent, problem) => {
  if (key.get() !== sent) return Promise.resolve();   // Another call has got a new one meanwhile.
  asking ??= askOnce(sent, problem).finally(() => asking = null);
  return asking;
};

function askOnce(refused, problem) {
  const dialog = byId('key');
  const field = byId('key-text');
  byId('key-words').hidden = !!refused;
  byId('key-title').textContent = refused ? 'This key was not accepted' : 'This server asks for an API key';
  field.value = '';
  dialog.returnValue = '';
  dialog.showModal();
  field.focus();
  return new Promise((resolve, reject) => dialog.addEventListener('close', () => {
    const text = field.value.trim();
    field.value = '';
    if (dialog.returnValue !== 'use' || text === '') return reject(new Problem(401, problem.body));
    key.set(text);
    showForget();
    announce('The key is used from now on.');
    resolve();
  }, { once: true }));
}

function showForget() {
  show(byId('forget-key'), key.get() !== null);
}

byId('forget-key').addEventListener('click', () => {
  key.forget();
  location.reload();
});
showForget();

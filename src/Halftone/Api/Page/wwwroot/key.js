// The API key: asked for when the server wants one, kept in this tab's sessionStorage, never in an address.

import { byId, show, announce } from './dom.js';
import { key, Problem } from './api.js';

let asking = null;

/** Shows one dialog for all waiting calls. `sent` is the key that was refused, or null if none was sent. */
key.ask = (sent, problem) => {
  if (key.get() !== sent) return Promise.resolve();   // Another call got a new key in the meantime.
  asking ??= askOnce(sent, problem).finally(() => asking = null);
  return asking;
};

function askOnce(refused, problem) {
  const dialog = byId('key');
  const field = byId('key-text');
  byId('key-words').hidden = !!refused;
  byId('key-title').textContent = refused ? 'This key was not accepted' : 'This server requires an API key';
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
    announce('Signed in.');
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

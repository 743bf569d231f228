// Chooses the view by the address after the #: nothing (upload and runs), requests/{id}, webhooks.

import { byId, show } from './dom.js';
import './key.js';
import { Problem } from './api.js';
import * as home from './home.js';
import * as request from './request.js';
import * as webhooks from './webhooks.js';

const views = [
  { name: 'home', pattern: /^#?\/?$/, title: 'Halftone', enter: home.enter },
  { name: 'request', pattern: /^#\/requests\/([0-9a-f-]{36})$/, title: 'Run – Halftone', enter: request.enter },
  { name: 'webhooks', pattern: /^#\/webhooks$/, title: 'Webhooks – Halftone', enter: webhooks.enter },
];
const nowhere = { name: 'nowhere', title: 'Page not found – Halftone', enter: () => {} };

let leaving = null;

async function route(isFirst) {
  leaving?.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  let match = null;
  const view = views.find(v => match = v.pattern.exec(location.hash)) ?? nowhere;
  enterView(view, isFirst);
  try {
    await view.enter(signal, match?.[1]);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof Problem && error.status === 404) return enterView(nowhere, false);
    tell(error);
  }
}

function enterView(view, isFirst) {
  show(byId('trouble'), false);
  for (const section of document.querySelectorAll('.view')) show(section, section.id === view.name);
  for (const link of document.querySelectorAll('[data-nav]')) {
    if (link.dataset.nav === view.name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = view.title;
  if (isFirst) return;
  window.scrollTo(0, 0);
  byId(view.name).querySelector('h1').focus({ preventScroll: true });
}

/** Shows an error that no view handles. */
function tell(error) {
  byId('trouble').textContent = error.message;
  show(byId('trouble'), true);
}

document.querySelector('.skip').addEventListener('click', event => {
  event.preventDefault();
  byId('main').focus();
});
window.addEventListener('unhandledrejection', event => {
  if (event.reason?.name === 'AbortError') return;
  if (event.reason instanceof Problem) event.preventDefault();
  tell(event.reason);
});
window.addEventListener('hashchange', () => route(false));
home.listen();
request.listen();
webhooks.listen();
route(true);

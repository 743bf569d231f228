// Elements from text. What a spreadsheet says is text and never markup; the server's content policy forbids the rest.

export const byId = id => document.getElementById(id);

/** An element with attributes and children; `on…` are listeners, children are nodes or texts, and what is null is left out. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes ?? {})) {
    if (attribute.startsWith('on')) element.addEventListener(attribute.slice(2), value);
    else if (value === true) element.setAttribute(attribute, '');
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(attribute, value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

/** A link to a stranger's address; plain text where it is no web address. */
export function linkTo(url, text = url) {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  return parsed && /^https?:$/.test(parsed.protocol)
    ? h('a', { href: parsed.href, target: '_blank', rel: 'noopener noreferrer' }, text)
    : h('span', {}, text);
}

export function show(element, isShown) {
  element.hidden = !isShown;
}

/** Text that is set only where it changed: no needless layout, and a screen reader is not told twice. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Says one sentence to those who do not see the page. */
export function announce(sentence) {
  const live = byId('live');
  live.textContent = '';
  requestAnimationFrame(() => live.textContent = sentence);
}

/** Asks before something that cannot be undone. */
export function confirmed(title, words, yes) {
  const dialog = byId('confirm');
  byId('confirm-title').textContent = title;
  byId('confirm-words').textContent = words;
  byId('confirm-yes').textContent = yes;
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise(resolve => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }));
}

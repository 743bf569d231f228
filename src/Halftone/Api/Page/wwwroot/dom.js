// Builds elements from text. Cells of a spreadsheet are text, never markup; the content security policy enforces it.

export const byId = id => document.getElementById(id);

/** An element with attributes and children. `on…` attributes are listeners; children are nodes or texts; null is left out. */
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

/** A link to a stranger's URL; plain text if it is not an http or https URL. */
export function linkTo(url, text = url) {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  return parsed && /^https?:$/.test(parsed.protocol)
    ? h('a', { href: parsed.href, target: '_blank', rel: 'noopener noreferrer' }, text)
    : h('span', {}, text);
}

export function show(element, isShown) {
  element.hidden = !isShown;
}

/** Sets text only if it changed: avoids needless layout, and screen readers do not read it twice. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Announces one sentence to screen readers. */
export function announce(sentence) {
  const live = byId('live');
  live.textContent = '';
  requestAnimationFrame(() => live.textContent = sentence);
}

/** Asks for confirmation before an action that cannot be undone. */
export function confirmed(title, words, yes) {
  const dialog = byId('confirm');
  byId('confirm-title').textContent = title;
  byId('confirm-words').textContent = words;
  byId('confirm-yes').textContent = yes;
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise(resolve => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }));
}

// The grid of images. Only images near the window are elements, and only some pages of the list are kept, however many images a run has.

import { byId, h, show } from './dom.js';
import { get, address } from './api.js';
import { number, bytes, saving } from './words.js';

const PageSize = 100;        // images per call
const PagesKept = 24;
const LongestSheet = 100_000;   // browsers limit a page to some ten million pixels
const LeastCell = 168;
const Gap = 12;
const CaptionHeight = 46;
const RestBeforeLoading = 90;   // images that scroll past quickly are not fetched
const RefreshPause = 800;
const PauseAfterFailure = 3000;

/** The grid of one run. Calls `open(position)` for the chosen image, and `changed()` when images may have new outcomes. */
export class Sheet {
  #list = byId('sheet');
  #id;
  #open;
  #changed;
  #signal;
  #counts = { all: 0, completed: 0, failed: 0 };
  #hasEnded = false;
  #filter = '';
  #start = 0;               // position of the first image shown; not 0 when there are several sheets
  #pages = new Map();       // page number → its images, least recently used first
  #loading = new Map();
  #stale = new Set();
  #cells = new Map();       // position → element
  #active = 0;              // the one cell that Tab moves to
  #frame = 0;
  #isChanged = true;
  #drawn = { first: 0, end: 0 };
  #timer = 0;
  #pause = RestBeforeLoading;
  #refresh = 0;
  #layout = { columns: 1, cell: LeastCell, row: LeastCell };

  constructor(id, open, changed, signal) {
    this.#id = id;
    this.#open = open;
    this.#changed = changed;
    this.#signal = signal;
    this.#list.replaceChildren();
    const onScroll = () => this.#draw(false);
    window.addEventListener('scroll', onScroll, { passive: true, signal });
    const resizes = new ResizeObserver(() => this.#measure());
    resizes.observe(this.#list);
    this.#list.addEventListener('click', event => this.#onClick(event), { signal });
    this.#list.addEventListener('keydown', event => this.#onKey(event), { signal });
    this.#list.addEventListener('focusin', event => this.#active = Number(event.target.closest('li')?.dataset.at ?? this.#active), { signal });
    for (const radio of document.querySelectorAll('#sheet-filter input')) {
      radio.checked = radio.value === '';
      radio.addEventListener('change', () => this.#choose(radio.value), { signal });
    }
    byId('sheet-pages').addEventListener('click', event => {
      const step = Number(event.target.dataset?.page ?? 0);
      if (step !== 0) this.#turn(step);
    }, { signal });
    signal.addEventListener('abort', () => {
      resizes.disconnect();
      clearTimeout(this.#timer);
      clearTimeout(this.#refresh);
      this.#list.replaceChildren();
    });
    this.#measure();
  }

  /** Takes new counts; visible images that had no outcome when they were fetched are fetched again. */
  update({ total, completed, failed }, hasEnded) {
    const before = this.#counts;
    if (this.#hasEnded !== hasEnded) {
      this.#hasEnded = hasEnded;
      this.#renew();
    }
    this.#counts = { all: total, completed, failed };
    for (const label of document.querySelectorAll('#sheet-filter [data-count]')) label.textContent = number(this.#counts[label.dataset.count]);
    if (before.completed === completed && before.failed === failed && before.all === total) return;
    for (const [page, images] of this.#pages) {
      if (this.#filter !== '' || images.length < PageSize || images.some(image => image.status === 'PENDING')) this.#stale.add(page);
    }
    this.#measure();
    this.#refresh ||= setTimeout(() => { this.#refresh = 0; this.#renew(); }, RefreshPause);
  }

  /** Marks everything as out of date, after a retry began or a run ended. */
  invalidate() {
    for (const page of this.#pages.keys()) this.#stale.add(page);
    this.#renew();
  }

  #renew() {
    this.#draw();
    this.#changed();
  }

  /** True if images that are not done will stay so until someone retries. */
  get hasEnded() {
    return this.#hasEnded;
  }

  get total() {
    return this.#counts[this.#filter || 'all'];
  }

  /** The image at a position of the current filter; null if there is none. */
  async image(position) {
    const page = Math.floor(position / PageSize);
    // A page being loaded is newer than the one kept.
    const known = this.#stale.has(page) ? null : this.#loading.get(page) ?? this.#pages.get(page);
    return (await (known ?? this.#load(page)))[position % PageSize] ?? null;
  }

  choose(filter) {
    const radio = document.querySelector(`#sheet-filter input[value="${filter}"]`);
    radio.checked = true;
    this.#choose(filter);
    radio.focus({ preventScroll: true });
    byId('sheet-title').scrollIntoView({ block: 'start' });
  }

  /** Moves the keyboard focus to an image, as after closing it. */
  focus(position) {
    this.#goTo(position);
  }

  #choose(filter) {
    this.#filter = filter;
    this.#start = 0;
    this.#active = 0;
    this.#pages.clear();
    this.#stale.clear();
    for (const cell of this.#cells.values()) cell.remove();
    this.#cells.clear();
    this.#measure();
  }

  #turn(step) {
    this.#start = Math.max(0, Math.min(this.#start + step * LongestSheet, Math.floor((this.total - 1) / LongestSheet) * LongestSheet));
    this.#active = this.#start;
    this.#measure();
    byId('sheet-title').scrollIntoView({ block: 'start' });
  }

  get #length() {
    return Math.max(0, Math.min(this.total - this.#start, LongestSheet));
  }

  #measure() {
    const width = this.#list.clientWidth;
    if (width === 0) return;
    const columns = Math.max(2, Math.floor((width + Gap) / (LeastCell + Gap)));
    const cell = Math.floor((width - Gap * (columns - 1)) / columns);
    this.#layout = { columns, cell, row: Math.round(cell * 0.75) + CaptionHeight + Gap };
    this.#list.style.height = `${Math.ceil(this.#length / columns) * this.#layout.row}px`;
    for (const [at, element] of this.#cells) this.#place(element, at);
    const none = byId('sheet-none');
    show(none, this.total === 0);
    none.textContent = this.#filter === 'failed' ? 'No image has failed.' : this.#filter === 'completed' ? 'No image is done yet.' : 'The file has no image.';
    show(byId('sheet-pages'), this.total > LongestSheet);
    byId('sheet-pages').querySelector('span').textContent = `${number(this.#start + 1)} to ${number(this.#start + this.#length)} of ${number(this.total)}`;
    this.#draw();
  }

  /** Before the next frame. `isChanged` is false where the window has moved and no more. */
  #draw(isChanged = true) {
    this.#isChanged ||= isChanged;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (!this.#signal.aborted) this.#drawNow();
    });
  }

  #drawNow() {
    const { columns, row } = this.#layout;
    const top = this.#list.getBoundingClientRect().top;
    // Two rows at least, also while the sheet is out of sight: the Tab key must find an image there.
    const rows = Math.ceil(this.#length / columns);
    const firstRow = Math.max(0, Math.min(Math.floor(-top / row) - 1, rows - 2));
    const lastRow = Math.max(firstRow + 2, Math.ceil((window.innerHeight - top) / row) + 1);
    const first = this.#start + firstRow * columns;
    const end = Math.min(this.#start + this.#length, this.#start + lastRow * columns);
    if (!this.#isChanged && first === this.#drawn.first && end === this.#drawn.end) return;
    this.#isChanged = false;
    this.#drawn = { first, end };
    const hasFocus = this.#list.contains(document.activeElement);
    if (!hasFocus && (this.#active < first || this.#active >= end)) this.#active = Math.max(this.#start, Math.min(first + columns, end - 1));
    for (const [at, element] of this.#cells) {
      // The cell with the keyboard's focus stays though it has been scrolled away.
      if ((at < first || at >= end) && !(hasFocus && at === this.#active)) {
        element.remove();
        this.#cells.delete(at);
      }
    }
    let isWaiting = false;
    for (let at = first; at < end; at++) {
      const element = this.#cells.get(at) ?? this.#add(at);
      this.#fill(element, at);
      element.firstChild.tabIndex = at === this.#active ? 0 : -1;
      isWaiting ||= element.dataset.waits !== undefined || this.#lacks(Math.floor(at / PageSize));
    }
    if (isWaiting) this.#timer ||= setTimeout(() => this.#settle(), this.#pause);
  }

  #lacks(page) {
    return (!this.#pages.has(page) || this.#stale.has(page)) && !this.#loading.has(page);
  }

  /** Loads the images of cells that stayed in view for a moment, and the pages that are missing or out of date. */
  #settle() {
    this.#timer = 0;
    this.#pause = RestBeforeLoading;
    for (const [at, element] of this.#cells) {
      const page = Math.floor(at / PageSize);
      if (this.#lacks(page)) this.#load(page).catch(() => this.#pause = PauseAfterFailure).finally(() => this.#draw());
      if (element.dataset.waits === undefined) continue;
      element.querySelector('img').src = element.dataset.waits;
      delete element.dataset.waits;
    }
  }

  #load(page) {
    const filter = this.#filter;
    this.#stale.delete(page);
    const loading = get(`requests/${this.#id}/images?limit=${PageSize}&cursor=${page * PageSize}${filter ? `&status=${filter}` : ''}`, { signal: this.#signal })
      .then(({ images }) => {
        // Ignore an answer that a later one has overtaken.
        if (filter === this.#filter && this.#loading.get(page) === loading) {
          this.#keep(page, images);
          this.#changed();
        }
        return images;
      })
      .catch(error => {
        this.#stale.add(page);
        throw error;
      })
      .finally(() => this.#loading.get(page) === loading && this.#loading.delete(page));
    this.#loading.set(page, loading);
    return loading;
  }

  #keep(page, images) {
    this.#pages.delete(page);
    this.#pages.set(page, images);
    const onShow = new Set([...this.#cells.keys()].map(at => Math.floor(at / PageSize)));
    for (const old of this.#pages.keys()) {
      if (this.#pages.size <= PagesKept) break;
      if (!onShow.has(old)) this.#pages.delete(old);
    }
  }

  #add(at) {
    const element = h('li', { 'data-at': at, 'aria-posinset': at + 1 }, h('button', { type: 'button' }));
    this.#place(element, at);
    this.#cells.set(at, element);
    // Elements are in file order, because Tab and screen readers follow it.
    const following = [...this.#cells.keys()].filter(other => other > at).reduce((least, other) => Math.min(least, other), Infinity);
    this.#list.insertBefore(element, this.#cells.get(following) ?? null);
    return element;
  }

  #place(element, at) {
    const { columns, cell, row } = this.#layout;
    const index = at - this.#start;
    element.style.width = `${cell}px`;
    element.style.height = `${row - Gap}px`;
    element.style.transform = `translate(${(index % columns) * (cell + Gap)}px, ${Math.floor(index / columns) * row}px)`;
  }

  #fill(element, at) {
    if (element.ariaSetSize !== String(this.total)) element.ariaSetSize = this.total;
    const image = this.#pages.get(Math.floor(at / PageSize))?.[at % PageSize];
    const shown = image ? `${image.status} ${this.#hasEnded} ${image.output_url ?? image.error_code ?? ''}` : '';
    if (element.dataset.shown === shown) return;
    element.dataset.shown = shown;
    delete element.dataset.waits;
    const button = element.firstChild;
    element.className = image ? image.status.toLowerCase() : 'unknown';
    button.replaceChildren(
      h('span', { class: 'thumb' }, image?.status === 'COMPLETED' ? h('img', { alt: '', decoding: 'async', referrerpolicy: 'no-referrer' }) : null),
      h('span', { class: 'name' }, image?.product_name ?? ''),
      // A button needs a name before its image is loaded, too.
      h('span', { class: 'note' }, image ? this.#noteOf(image) : h('span', { class: 'unseen' }, `Image ${number(at + 1)}, not loaded yet`)));
    if (image?.status === 'COMPLETED') {
      const picture = button.querySelector('img');
      picture.addEventListener('load', () => picture.classList.add('there'), { once: true });
      showOutput(picture, image.output_url, this.#id, false);
      element.dataset.waits = image.output_url;
    }
  }

  #noteOf(image) {
    if (image.status === 'FAILED') return image.http_status ? `failed: HTTP ${image.http_status}` : `failed: ${image.error_code.replaceAll('_', ' ')}`;
    if (image.status === 'PENDING') return this.#hasEnded ? 'not done' : 'waiting';
    return image.kept_original ? `${bytes(image.output_bytes)}, kept as is` : `${bytes(image.input_bytes)} → ${bytes(image.output_bytes)}, −${saving(image.input_bytes, image.output_bytes)}`;
  }

  #onClick(event) {
    const cell = event.target.closest('li');
    if (cell) this.#open(Number(cell.dataset.at));
  }

  #onKey(event) {
    const { columns, row } = this.#layout;
    const screen = Math.max(1, Math.floor(window.innerHeight / row)) * columns;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, PageDown: screen, PageUp: -screen, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#goTo(this.#active + step);
  }

  #goTo(position) {
    const { columns, row } = this.#layout;
    this.#active = Math.max(this.#start, Math.min(position, this.#start + this.#length - 1));
    const y = this.#list.getBoundingClientRect().top + Math.floor((this.#active - this.#start) / columns) * row;
    if (y < 0) window.scrollBy({ top: y - Gap, behavior: 'instant' });
    else if (y + row > window.innerHeight) window.scrollBy({ top: y + row - window.innerHeight, behavior: 'instant' });
    this.#drawNow();
    this.#cells.get(this.#active)?.firstChild.focus({ preventScroll: true });
  }
}

/**
 * Loads an output from its URL in the result. That URL starts with the server's own idea of its address; if it cannot be reached there, as through a tunnel,
 * loads the image from where the page came from.
 */
export function showOutput(picture, url, requestId, now = true) {
  picture.onerror = () => {
    picture.onerror = null;
    picture.src = address(`images/${requestId}/${url.slice(url.lastIndexOf('/') + 1)}`);
  };
  if (now) picture.src = url;
}

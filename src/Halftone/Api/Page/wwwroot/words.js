// Numbers, times and states in words for people.

const whole = new Intl.NumberFormat('en');
const oneDecimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const moment = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' });

export const number = value => whole.format(value);

export const count = (value, one, many = one + 's') => `${number(value)} ${value === 1 ? one : many}`;

export const time = text => moment.format(new Date(text));

export function bytes(value) {
  if (value < 1000) return `${value} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let unit = -1;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${value < 100 ? oneDecimal.format(value) : whole.format(Math.round(value))} ${units[unit]}`;
}

export function duration(seconds) {
  const s = Math.max(1, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${number(Math.floor(s / 3600))} h ${Math.floor(s % 3600 / 60)} min`;
}

export const pace = perSecond => perSecond >= 10 ? whole.format(Math.round(perSecond)) : oneDecimal.format(perSecond);

/** Bytes saved, in percent; negative if the file grew. */
export const saving = (before, after) => before > 0 ? `${oneDecimal.format(100 * (before - after) / before)}%` : '0%';

export const percent = value => `${oneDecimal.format(value)}%`;

const states = { PENDING: 'Waiting to start', PROCESSING: 'Running', COMPLETED: 'Finished', FAILED: 'Failed', CANCELLED: 'Cancelled' };

export const state = word => states[word] ?? word;

/** The format of an output, by its file extension. */
export function format(url) {
  const ending = /\.([a-z0-9]+)(?:$|\?)/.exec(url)?.[1];
  return { jpg: 'JPEG', jpeg: 'JPEG', png: 'PNG', webp: 'WebP', gif: 'GIF', avif: 'AVIF' }[ending] ?? 'unknown';
}

/** How times, spans and amounts are written. */

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)];
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${seconds % 60} s`;
}

/** Made once: to make one for each time, as `toLocaleTimeString` does, costs twenty times what the writing does. */
const CLOCK = new Intl.DateTimeFormat([], {
  ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  hourCycle: 'h23',
});

/** Hours, minutes and seconds where the reader is. */
export function clock(at: string | number | Date): string {
  return CLOCK.format(new Date(at));
}

/** With the day, for what may be of any age. */
export function moment(at: string | number | Date): string {
  const date = new Date(at);
  const [year, month, day] = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return `${year}-${pad(month)}-${pad(day)} ${clock(date)}`;
}

function pad(count: number): string {
  return String(count).padStart(2, '0');
}

export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** `0.8` as `80 %`. The text is for people: nothing is computed with what comes out. */
export function percent(part: string | number): string {
  return `${(Number(part) * 100).toFixed(1)} %`;
}

/** A decimal text with at most `places` of its digits after the point; digits are cut off, never rounded up. */
export function amount(text: string, places = 8): string {
  const [whole = '', rest] = text.split('.');
  const digits = rest?.slice(0, places).replace(/0+$/, '') ?? '';
  return digits === '' ? whole : `${whole}.${digits}`;
}

export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

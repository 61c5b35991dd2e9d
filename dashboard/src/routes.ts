/** Addresses of the pages: what is shown is in the address, so that it can be sent to somebody and the browser's Back works. */

export type Route =
  | { readonly page: 'overview' | 'emergency' | 'executions' | 'bots' | 'strategies' | 'unknown' }
  | { readonly page: 'execution' | 'bot' | 'strategy'; readonly id: string };

export interface Address {
  readonly route: Route;
  readonly query: URLSearchParams;
}

const LISTS = ['emergency', 'executions', 'bots', 'strategies'] as const;
const SINGLE = { executions: 'execution', bots: 'bot', strategies: 'strategy' } as const;

export function readAddress(pathname: string, search: string): Address {
  return { route: readPath(pathname), query: new URLSearchParams(search) };
}

function readPath(pathname: string): Route {
  const [place = '', id, ...rest] = pathname.split('/').slice(1);
  if (place === '' && id === undefined) return { page: 'overview' };
  const list = LISTS.find((name) => name === place);
  if (list === undefined || rest.length > 0) return { page: 'unknown' };
  if (id === undefined || id === '') return { page: list };
  const name = decoded(id);
  if (list === 'emergency' || name === undefined) return { page: 'unknown' };
  return { page: SINGLE[list], id: name };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

export function pathOf(place: keyof typeof SINGLE, id: string): string {
  return `/${place}/${encodeURIComponent(id)}`;
}

/** The address with these of its query replaced; an empty text takes one away. */
export function withQuery(path: string, query: URLSearchParams, changes: Readonly<Record<string, string>>): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** REST, and the token that opens it. */

const KEPT_AS = 'holdfast.token';

/** From the address's fragment, which browsers do not send, kept for this tab; the address is cleaned at once. */
export function takeToken(): string | undefined {
  const given = /^#(?:token=)?([\w.-]{20,})$/.exec(location.hash)?.[1];
  if (given !== undefined) {
    sessionStorage.setItem(KEPT_AS, given);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(KEPT_AS) ?? undefined;
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEPT_AS);
}

/** A refusal in the gateway's words; `code` is one of the catalogue's. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const TIMEOUT_MS = 8_000;

export class Api {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  get<T>(path: string): Promise<T> {
    return this.#ask<T>(path, { method: 'GET' });
  }

  post<T>(path: string, body: object): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    return this.#ask<T>(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async #ask<T>(path: string, init: RequestInit): Promise<T> {
    const headers = { ...(init.headers as Record<string, string> | undefined), authorization: `Bearer ${this.#token}` };
    const response = await fetch(path, { ...init, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const answer = (await response.json()) as T & { code?: string; detail?: string };
    if (!response.ok) throw new Refused(answer.code ?? String(response.status), answer.detail ?? response.statusText);
    return answer;
  }
}

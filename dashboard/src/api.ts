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

/** Who the token says its bearer is. Read for what is shown alone: what it allows, the gateway decides. */
export interface Bearer {
  readonly subject: string;
  readonly role: string;
  /** Milliseconds since 1970. */
  readonly expires_at: number;
}

/** Undefined for what is no token at all. */
export function readToken(token: string): Bearer | undefined {
  try {
    const [, payload = ''] = token.split('.');
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (each) =>
      each.charCodeAt(0),
    );
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const { sub, role, exp } = claims;
    if (typeof sub !== 'string' || typeof role !== 'string' || typeof exp !== 'number') return undefined;
    return { subject: sub, role, expires_at: exp * 1_000 };
  } catch {
    return undefined;
  }
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly next_step?: string;
  readonly retryable?: boolean;
}

/** A refusal in the gateway's words; `code` is one of the catalogue's. */
export class Refused extends Error {
  readonly code: string;
  readonly next_step: string | undefined;
  /** Whether the same may be answered otherwise when it is asked again. */
  readonly retryable: boolean;

  constructor({ code, detail, next_step, retryable = false }: Problem) {
    super(detail);
    this.code = code;
    this.next_step = next_step;
    this.retryable = retryable;
  }
}

/** What went wrong, for people. */
export function wordsOf(error: unknown): string {
  if (error instanceof Refused) {
    return `${error.message}${error.next_step === undefined ? '' : ` ${error.next_step}`} [${error.code}]`;
  }
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'The gateway did not answer in time.';
  if (error instanceof TypeError) return 'The gateway cannot be reached.';
  return error instanceof Error ? error.message : String(error);
}

const TIMEOUT_MS = 8_000;

interface Asked extends RequestInit {
  readonly headers?: Readonly<Record<string, string>>;
}

function withBody(method: string, body: object): Asked {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

export class Api {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  /** Throws `Refused`, and what `fetch` throws when nobody answers in time, by default within eight seconds. */
  get<T>(path: string): Promise<T> {
    return this.#ask(path, { method: 'GET' }) as Promise<T>;
  }

  post<T>(path: string, body: object, within_ms = TIMEOUT_MS): Promise<T> {
    return this.#ask(path, withBody('POST', body), within_ms) as Promise<T>;
  }

  put<T>(path: string, body: object): Promise<T> {
    return this.#ask(path, withBody('PUT', body)) as Promise<T>;
  }

  async #ask(path: string, init: Asked, within_ms = TIMEOUT_MS): Promise<unknown> {
    const headers = { ...init.headers, authorization: `Bearer ${this.#token}` };
    const response = await fetch(path, { ...init, headers, signal: AbortSignal.timeout(within_ms) });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer;
    // A proxy answers in words of its own.
    const { status, statusText } = response;
    const said = { code: String(status), detail: statusText, retryable: status >= 500 };
    throw new Refused({ ...said, ...(answer as Partial<Problem> | undefined) });
  }
}

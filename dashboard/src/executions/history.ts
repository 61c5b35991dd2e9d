/** Executions of any age, a page of Temporal's list after the other, as one scrolls. */
import { wordsOf, type Api } from '../api';
import { Observable } from '../observable';
import type { ExecutionSummary, ExecutionsPage } from '../wire';

/** What Temporal filters by; these are names of the address's query too. */
export const FILTERS = ['state', 'workflow_id', 'bot_id', 'strategy_id'] as const;

export interface Loaded {
  readonly executions: readonly ExecutionSummary[];
  /** There is more. */
  readonly has_more: boolean;
  readonly is_reading: boolean;
  readonly at?: Date;
  readonly problem?: string;
}

const PAGE = 200;
/** So many rows are enough for a browser; beyond it one filters. */
const MOST_ROWS = 100_000;

export class History {
  readonly loaded = new Observable<Loaded>({ executions: [], has_more: true, is_reading: false });
  readonly #api: Api;
  readonly #query: string;
  #next: string | undefined;

  /** `filter`: a query as the gateway takes it, of `FILTERS` alone. */
  constructor(api: Api, filter: string) {
    this.#api = api;
    this.#query = filter === '' ? `limit=${PAGE}` : `limit=${PAGE}&${filter}`;
  }

  readonly more = async (): Promise<void> => {
    const before = this.loaded.get();
    if (before.is_reading || !before.has_more) return;
    this.loaded.set({ ...before, is_reading: true });
    const page = this.#next === undefined ? '' : `&page=${encodeURIComponent(this.#next)}`;
    try {
      const answer = await this.#api.get<ExecutionsPage>(`/api/executions?${this.#query}${page}`);
      this.#next = answer.next_page;
      const executions = [...before.executions, ...answer.executions];
      const has_more = answer.next_page !== undefined && executions.length < MOST_ROWS;
      this.loaded.set({ executions, has_more, is_reading: false, at: new Date() });
    } catch (error) {
      // Not tried again by itself: whoever wants to know asks again.
      this.loaded.set({ ...before, has_more: false, is_reading: false, problem: wordsOf(error) });
    }
  };
}

export function filterOf(query: URLSearchParams): string {
  const filter = new URLSearchParams();
  for (const name of FILTERS) {
    const value = query.get(name);
    if (value !== null && value !== '') filter.set(name, value);
  }
  return filter.toString();
}

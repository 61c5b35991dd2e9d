/**
 * What the page knows, beyond what one of its pages alone asks for: the feed, the desk, the deployed graphs. One per token.
 *
 * - S1. Live data comes from the published client alone; what it says of an execution stands.
 * - S2. Components are told at most once per frame, however many events come.
 */
import { Feed, type EventEnvelope, type ExecutionView, type FeedStatus } from 'holdfast/client';
import { createContext, useContext } from 'react';
import { Api, readToken, type Bearer } from './api';
import { Commands } from './emergency/commands';
import { Observable } from './observable';
import { Resource } from './resource';
import type { AuditEntry, Deployment, Desk, ExecutionsPage } from './wire';

const MOST_EVENTS = 300;
const OF_THE_DESK = /^(emergency_|risk_limit_|open_orders_cancelled|positions_flattened)/;

export type Executions = ReadonlyMap<string, ExecutionView>;

export class Session {
  readonly api: Api;
  readonly bearer: Bearer | undefined;
  readonly feed: Feed;
  readonly status: Observable<FeedStatus>;
  readonly executions = new Observable<Executions>(new Map());
  /** Newest first. */
  readonly events = new Observable<readonly EventEnvelope[]>([]);
  /** Counts what may have been missed: whoever shows more than the feed's own views reads it again. */
  readonly gaps = new Observable(0);
  readonly desk: Resource<Desk>;
  readonly deployments: Resource<readonly Deployment[]>;
  readonly latest: Resource<ExecutionsPage>;
  readonly audit: Resource<readonly AuditEntry[]>;
  readonly commands: Commands;
  #views = new Map<string, ExecutionView>();
  #fresh: EventEnvelope[] = [];
  #drawing = false;

  constructor(token: string) {
    this.api = new Api(token);
    this.bearer = readToken(token);
    this.desk = new Resource(() => this.api.get<Desk>('/api/emergency'));
    this.deployments = new Resource(async () => {
      return (await this.api.get<{ readonly workflows: readonly Deployment[] }>('/api/workflows')).workflows;
    });
    this.latest = new Resource(() => this.api.get<ExecutionsPage>('/api/executions?limit=50'));
    this.audit = new Resource(async () => {
      const { entries } = await this.api.get<{ readonly entries: readonly AuditEntry[] }>('/api/audit?limit=100');
      return entries.toReversed();
    });
    this.commands = new Commands(this.api, () => void this.desk.refresh());
    this.feed = new Feed({ url: location.origin, token });
    this.status = new Observable(this.feed.status);
    this.#follow();
  }

  close(): void {
    this.feed.close();
  }

  #follow(): void {
    this.feed.on('status', (status) => {
      this.status.set(status);
      if (status.state === 'live') this.#readAgain();
    });
    this.feed.on('gap', () => {
      this.#readAgain();
    });
    this.feed.on('execution', (view) => {
      this.#views.set(view.execution_id, view);
      this.#draw();
    });
    this.feed.on('event', (event) => {
      this.#fresh.push(event);
      if (this.#fresh.length > 2 * MOST_EVENTS) this.#fresh = this.#fresh.slice(-MOST_EVENTS);
      if (OF_THE_DESK.test(event.type)) void this.desk.refresh();
      this.#draw();
    });
    // A refusal is told by the status.
    this.feed.watch({ all: true }).catch(() => undefined);
  }

  #readAgain(): void {
    this.gaps.set(this.gaps.get() + 1);
    void this.desk.refresh();
    void this.latest.refresh();
  }

  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#show();
    });
  }

  #show(): void {
    const changed = this.#views;
    const fresh = this.#fresh;
    this.#views = new Map();
    this.#fresh = [];
    if (changed.size > 0) this.executions.set(this.#withChanged(changed));
    if (fresh.length > 0) this.events.set([...fresh.toReversed(), ...this.events.get()].slice(0, MOST_EVENTS));
  }

  /** What the feed has forgotten is forgotten here too. */
  #withChanged(changed: Executions): Executions {
    const all = new Map([...this.executions.get(), ...changed]);
    for (const id of all.keys()) if (this.feed.execution(id) === undefined) all.delete(id);
    return all;
  }
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('no session around this component');
  return session;
}

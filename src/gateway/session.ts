/**
 * One client's view of the streams: each event at most once, in order, nothing it may not see. While a subscription reads
 * the past, what arrives is held back, so that the past comes first. An event that does not follow on the last one of its execution is
 * never given without a word, whatever went wrong before it came here.
 */
import { isAfter, type Cursor, type Snapshot } from '../event-log';
import type { EventEnvelope } from '../events/envelope';
import { GLOBAL } from '../emergency/scopes';
import { present } from '../json';
import { isRestricted, maySee, ownerOfScope } from './access';
import type { GapNotice } from './protocol';
import type { Identity } from './tokens';

export interface Outlet {
  /** `isPast`: of a replay the client asked for. */
  event(event: EventEnvelope, isPast: boolean): void;
  snapshot(snapshot: Snapshot): void;
  gap(gap: GapNotice): void;
}

const MOST_STREAMS = 5_000;

export class Session {
  #identity: Identity;
  readonly #outlet: Outlet;
  readonly #positions = new Map<string, Cursor>();
  /** Streams the client was told a gap of since their last event. */
  #excused = new Set<string>();
  #held: EventEnvelope[] | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(identity: Identity, outlet: Outlet) {
    this.#identity = identity;
    this.#outlet = outlet;
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** From now on events are judged by this one; rooms and positions stay. */
  renew(identity: Identity): void {
    this.#identity = identity;
  }

  offer(event: EventEnvelope): void {
    if (!this.#mayHear(event)) return;
    if (this.#held === undefined) this.#deliver(event);
    else this.#held.push(event);
  }

  /** Runs one subscription at a time, with live events held back until it is over and `tell` has said what came of it: they are newer. */
  async catchingUp<T>(action: () => Promise<T>, tell: (result: T) => void = () => undefined): Promise<T> {
    const turn = this.#turn.then(async () => {
      this.#held = [];
      try {
        const result = await action();
        tell(result);
        return result;
      } finally {
        const held = this.#held;
        this.#held = undefined;
        for (const event of held) this.#deliver(event);
      }
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Of what is held back, gives only what `isWanted`: of a room that could not be entered nothing is, or its past would seem told. */
  keepHeld(isWanted: (event: EventEnvelope) => boolean): void {
    this.#held = this.#held?.filter(isWanted);
  }

  positionIn(stream: string): Cursor | undefined {
    return this.#positions.get(stream);
  }

  /** Sends the past of a stream. */
  replay(events: readonly EventEnvelope[]): void {
    for (const event of events) if (this.#mayHear(event)) this.#deliver(event, true);
  }

  restore(snapshot: Snapshot): void {
    this.moveTo(snapshot.stream, snapshot.position);
    this.#outlet.snapshot(isOfDesk(snapshot) && isRestricted(this.identity) ? this.#visible(snapshot) : snapshot);
  }

  /** The client knows everything up to here. */
  moveTo(stream: string, position: Cursor): void {
    const known = this.#positions.get(stream);
    if (known !== undefined && !isAfter(position, known)) return;
    this.#positions.delete(stream);
    this.#positions.set(stream, position);
    if (this.#positions.size <= MOST_STREAMS) return;
    const oldest = this.#positions.keys().next().value;
    if (oldest !== undefined) this.#positions.delete(oldest);
  }

  /** A restricted identity is not told the ids of others' executions. */
  tellGap(gap: GapNotice): void {
    const isOfAll = !gap.complete || isRestricted(this.identity);
    this.#excused = new Set([...this.#excused, ...gap.streams, ...(isOfAll ? this.#positions.keys() : [])]);
    this.#outlet.gap(isRestricted(this.identity) ? { ...gap, streams: [], complete: false } : gap);
  }

  /** Whether all is halted concerns everybody; of the rest of the desk a restricted identity hears what concerns its own. */
  #mayHear(event: EventEnvelope): boolean {
    if (!isOfDesk(event)) return maySee(this.identity, event);
    const isForAll = event.type === 'emergency_state_changed' && event.scope === GLOBAL;
    return isForAll || maySee(this.identity, 'scope' in event ? ownerOfScope(event.scope) : event);
  }

  #visible({ latest, nodes, ...rest }: Snapshot): Snapshot {
    const heard = Object.entries(nodes).filter(([, event]) => this.#mayHear(event));
    const last = latest !== undefined && this.#mayHear(latest) ? latest : undefined;
    return { ...rest, ...present({ latest: last }), nodes: Object.fromEntries(heard) };
  }

  #deliver(event: EventEnvelope, isPast = false): void {
    const known = this.#positions.get(event.stream);
    if (known !== undefined && !isAfter(event, known)) return;
    const gap = known === undefined ? undefined : gapBetween(known, event);
    if (!this.#excused.delete(event.stream) && gap !== undefined) this.#outlet.gap(gap);
    this.moveTo(event.stream, { log_epoch: event.log_epoch, seq: event.seq });
    this.#outlet.event(event, isPast);
  }
}

function isOfDesk({ stream }: { readonly stream: string }): boolean {
  return stream.startsWith('desk/');
}

/** Only an execution's stream is heard whole: of the desk's and the metrics' a client may be told a part. */
function gapBetween(known: Cursor, { stream, execution_id, log_epoch, seq }: EventEnvelope): GapNotice | undefined {
  if (stream !== execution_id) return undefined;
  const of = { streams: [stream], complete: true };
  if (log_epoch !== known.log_epoch) return { reason: 'log_restarted', dropped: 0, ...of };
  const dropped = seq - known.seq - 1;
  return dropped === 0 ? undefined : { reason: 'out_of_reach', dropped, ...of };
}

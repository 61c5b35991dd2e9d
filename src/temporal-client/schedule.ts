/** The Temporal Schedule of a graph's triggers. */
import { durationMs } from '../graph/duration';
import { DEFAULT_OVERLAP, DEFAULT_TIME_ZONE, type Overlap } from '../graph/overlap';
import type { Graph, Trigger } from '../graph/schema';
import { present } from '../json';

/** A server that was down starts what it missed for this long, no more: older market data is nobody's signal. */
const CATCH_UP_MS = 60_000;

export const TEMPORAL_OVERLAP = {
  skip: 'SKIP',
  buffer_one: 'BUFFER_ONE',
  buffer_all: 'BUFFER_ALL',
  cancel_other: 'CANCEL_OTHER',
  allow_all: 'ALLOW_ALL',
} as const satisfies Record<Overlap, string>;

/** What validation makes all triggers of a graph agree on, with the defaults filled in. */
export interface ScheduleSettings {
  readonly overlap: Overlap;
  readonly time_zone: string;
  /** Each run is moved by a random time from 0 to this. */
  readonly jitter_ms?: number;
  readonly inputs?: Readonly<Record<string, unknown>>;
  /** At the first deployment; from then on it is for people to pause and unpause. */
  readonly paused: boolean;
}

export function scheduleSettings({ triggers = {} }: Graph): ScheduleSettings {
  const all = Object.values(triggers);
  const [first] = all;
  return {
    overlap: first?.overlap ?? DEFAULT_OVERLAP,
    time_zone: all.find(({ cron }) => cron !== undefined)?.time_zone ?? DEFAULT_TIME_ZONE,
    ...present({ jitter_ms: durationMs(first?.jitter), inputs: first?.inputs }),
    paused: first?.paused ?? false,
  };
}

/** Without triggers the spec is empty, and the schedule never fires by itself. */
export function temporalSchedule(graph: Graph) {
  const { overlap, time_zone, jitter_ms } = scheduleSettings(graph);
  const all = Object.values(graph.triggers ?? {});
  return {
    spec: {
      intervals: all.flatMap(intervalOf),
      cronExpressions: all.flatMap(({ cron }) => cron ?? []),
      timezone: time_zone,
      ...present({ jitter: jitter_ms }),
    },
    policies: { overlap: TEMPORAL_OVERLAP[overlap], catchupWindow: CATCH_UP_MS },
  };
}

function intervalOf({ every, offset }: Trigger) {
  const ms = durationMs(every);
  return ms === undefined ? [] : [{ every: ms, ...present({ offset: durationMs(offset) }) }];
}

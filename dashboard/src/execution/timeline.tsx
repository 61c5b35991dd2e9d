/** When each node ran: its attempts as bars, waiting between and before them, the critical path marked. */
import { useEffect, useState } from 'react';
import { clock, duration } from '../format';
import { useValue } from '../observable';
import { useSession } from '../session';
import { Panel } from '../shell/parts';
import { VirtualRows } from '../shell/virtual-rows';
import { useExecutionState } from './execution-head';
import type { ExecutionStore } from './execution-store';
import { timeOf, type Span } from './trace';

const ROW = 30;
const TICK_MS = 1_000;

interface TimelineProps {
  readonly store: ExecutionStore;
  readonly onChoose: (key: string) => void;
}

export function Timeline({ store, onChoose }: TimelineProps) {
  const spans = useValue(store.spans);
  const critical = useValue(store.critical);
  const { has_ended } = useExecutionState(useSession(), store);
  const now = useNow(!has_ended);
  const from = spans[0]?.from ?? now;
  const to = has_ended ? Math.max(from + 1, ...spans.map((span) => span.to ?? span.from)) : Math.max(now, from + 1);
  if (spans.length === 0) return null;
  return (
    <Panel title="Timeline" aside={<p className="quiet">{`${clock(from)} to ${clock(to)}, ${duration(to - from)}`}</p>}>
      <div className="timeline">
        <VirtualRows
          label="Timeline of nodes"
          rows={spans}
          rowHeight={ROW}
          keyOf={({ key, generation }) => `${generation} ${key}`}
          draw={(span) => (
            <Row span={span} from={from} to={to} isCritical={critical.has(span.key)} onChoose={onChoose} />
          )}
        />
      </div>
      <p className="quiet">Solid: an attempt runs. Pale: it waits. Underlined names: the critical path.</p>
    </Panel>
  );
}

interface RowProps {
  readonly span: Span;
  readonly from: number;
  readonly to: number;
  readonly isCritical: boolean;
  readonly onChoose: (key: string) => void;
}

function Row({ span, from, to, isCritical, onChoose }: RowProps) {
  const part = (at: number) => (100 * Math.min(1, Math.max(0, (at - from) / (to - from)))).toFixed(3);
  const { running, all } = timeOf(span, to);
  const words = `${span.key}: ${span.state}, ${duration(running)} running, ${duration(all - running)} waiting`;
  return (
    <button
      type="button"
      className="time-row"
      data-state={span.state}
      data-critical={isCritical}
      aria-label={`${words}${isCritical ? ', on the critical path' : ''}`}
      title={words}
      onClick={() => {
        onChoose(span.key);
      }}
    >
      <span className="time-name">{span.key}</span>
      <span className="track" aria-hidden="true">
        <Bar kind="wait" from={part(span.from)} to={part(span.to ?? to)} />
        {span.attempts.map((attempt) => (
          <Bar key={attempt.from} kind="run" from={part(attempt.from)} to={part(attempt.to ?? span.to ?? to)} />
        ))}
      </span>
    </button>
  );
}

function Bar({ kind, from, to }: { readonly kind: 'wait' | 'run'; readonly from: string; readonly to: string }) {
  return <span className={kind} style={{ left: `${from}%`, right: `calc(100% - ${to}%)` }} />;
}

/** Moves on while somebody needs it to. */
function useNow(moves: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!moves) return undefined;
    const timer = setInterval(() => {
      setNow(Date.now());
    }, TICK_MS);
    return () => {
      clearInterval(timer);
    };
  }, [moves]);
  return now;
}

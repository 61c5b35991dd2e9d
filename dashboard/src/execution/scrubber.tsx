/** Looks back through an execution that has ended: graph and nodes stand as they stood then. */
import { useState } from 'react';
import { clock } from '../format';
import { ObservableRecord, usePart } from '../observable';
import { useSession } from '../session';
import { useExecutionState } from './execution-head';
import { EventRun } from './event-run';
import type { ExecutionStore } from './execution-store';
import { nodesOf, type NodeShown } from './nodes';
import { statesAt } from './trace';

interface ScrubberProps {
  readonly store: ExecutionStore;
  /** Undefined for how it stands now. */
  readonly onLook: (nodes: ObservableRecord<NodeShown> | undefined) => void;
}

export function Scrubber({ store, onLook }: ScrubberProps) {
  const { has_ended } = useExecutionState(useSession(), store);
  // Of one that goes on they are not read: it would be drawn again with every event.
  const events = usePart(store.events, (all) => (has_ended ? all : EventRun.empty));
  const [moment, setMoment] = useState<number>();
  const [first, last] = [events.at(0), events.at(-1)];
  if (first === undefined || last === undefined) return null;
  const [from, to] = [Date.parse(first.timestamp), Date.parse(last.timestamp)];
  const look = (wanted: number) => {
    const isNow = wanted >= to;
    setMoment(isNow ? undefined : wanted);
    onLook(isNow ? undefined : new ObservableRecord(nodesOf(statesAt(events, wanted))));
  };
  return (
    <div className="scrubber">
      <label>
        {moment === undefined ? 'Look back' : `As it stood at ${clock(moment)}`}
        <input
          id="scrubber"
          type="range"
          min={from}
          max={to}
          value={moment ?? to}
          onChange={(event) => {
            look(event.target.valueAsNumber);
          }}
        />
      </label>
    </div>
  );
}

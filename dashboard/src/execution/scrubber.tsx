/** Looks back through an execution that has ended: graph and nodes stand as they stood then. */
import { useState } from 'react';
import { clock } from '../format';
import { Observable, useValue } from '../observable';
import { useSession } from '../session';
import { useExecutionState } from './execution-head';
import type { ExecutionStore } from './execution-store';
import { nodesOf, type Nodes } from './nodes';
import { statesAt } from './trace';

interface ScrubberProps {
  readonly store: ExecutionStore;
  /** Undefined for how it stands now. */
  readonly onLook: (nodes: Observable<Nodes> | undefined) => void;
}

export function Scrubber({ store, onLook }: ScrubberProps) {
  const events = useValue(store.events);
  const { has_ended } = useExecutionState(useSession(), store);
  const [moment, setMoment] = useState<number>();
  const [first, last] = [events[0], events.at(-1)];
  if (!has_ended || first === undefined || last === undefined) return null;
  const [from, to] = [Date.parse(first.timestamp), Date.parse(last.timestamp)];
  const look = (wanted: number) => {
    const isNow = wanted >= to;
    setMoment(isNow ? undefined : wanted);
    onLook(isNow ? undefined : new Observable(nodesOf(statesAt(events, wanted))));
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

/** The events of an execution, newest first. */
import { clock, counted } from '../format';
import { usePaced } from '../observable';
import { Empty, Panel } from '../shell/parts';
import { VirtualRows } from '../shell/virtual-rows';
import type { TraceEvent } from '../wire';
import type { ExecutionStore } from './execution-store';
import { keyOf, noteOf } from './trace';

const ROW = 44;
/** Faster than anybody reads, and many events together are drawn as one. */
const EVERY_MS = 500;

export function EventList({ store }: { readonly store: ExecutionStore }) {
  const events = usePaced(store.events, EVERY_MS);
  const { length } = events;
  return (
    <Panel title={`Events: ${events.length}`}>
      {events.length === 0 ? (
        <Empty title="The log holds no events of it">They come as it runs; those of long ago are no longer kept.</Empty>
      ) : (
        <div id="events" className="events">
          <VirtualRows
            label={counted(events.length, 'event')}
            rows={{ length, at: (index) => events.at(length - 1 - index) }}
            rowHeight={ROW}
            keyOf={placeOf}
            draw={(event) => <EventLine event={event} />}
          />
        </div>
      )}
    </Panel>
  );
}

/** What comes moves all of them, and a line is sooner written anew than made anew. */
function placeOf(_event: TraceEvent, index: number): string {
  return String(index);
}

function EventLine({ event }: { readonly event: TraceEvent }) {
  const note = noteOf(event);
  return (
    <div className="event-line" title={note}>
      <span>
        <time dateTime={event.timestamp}>{clock(event.timestamp)}</time> <strong>{event.type}</strong>{' '}
        {event.node_id === undefined ? '' : keyOf(event)}
      </span>
      <span className="quiet cut">{note}</span>
    </div>
  );
}

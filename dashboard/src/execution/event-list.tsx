/** The events of an execution, newest first. */
import { clock, counted } from '../format';
import { useValue } from '../observable';
import { Empty, Panel } from '../shell/parts';
import { VirtualRows } from '../shell/virtual-rows';
import type { TraceEvent } from '../wire';
import type { ExecutionStore } from './execution-store';
import { keyOf, noteOf } from './trace';

const ROW = 44;

export function EventList({ store }: { readonly store: ExecutionStore }) {
  const events = useValue(store.events);
  const newest = events.toReversed();
  return (
    <Panel title={`Events: ${events.length}`}>
      {events.length === 0 ? (
        <Empty title="The log holds no events of it">They come as it runs; those of long ago are no longer kept.</Empty>
      ) : (
        <div id="events" className="events">
          <VirtualRows
            label={counted(events.length, 'event')}
            rows={newest}
            rowHeight={ROW}
            keyOf={({ event_id }) => event_id}
            draw={(event) => <EventLine event={event} />}
          />
        </div>
      )}
    </Panel>
  );
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

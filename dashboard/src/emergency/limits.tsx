/** Limits with how far they are used, and the permits that are out. */
import type { ReactNode } from 'react';
import { amount, clock, counted, percent } from '../format';
import { Link } from '../navigation';
import { pathOf } from '../routes';
import { Empty, Panel, Table } from '../shell/parts';
import type { Desk, LimitStatus } from '../wire';

export function Limits({ desk, children }: { readonly desk: Desk; readonly children?: ReactNode }) {
  const rows = desk.scopes.flatMap(({ scope, limits, auto_halt }) =>
    limits.map(
      (limit) =>
        [
          `${scope} ${limit.limit}`,
          scope,
          limit.limit,
          amount(limit.allowed),
          limit.used === undefined ? 'judged per order' : amount(limit.used),
          <Used key="used" of={scope} limit={limit} />,
          auto_halt === false ? 'no' : 'yes',
        ] as const,
    ),
  );
  return (
    <Panel title="Limits">
      {rows.length === 0 ? (
        <Empty title="No limits are set">
          Set some: <code>npx holdfast limits set global daily_loss=500 --reason “why”</code>
        </Empty>
      ) : (
        <Table
          caption={`Limits, in ${desk.currency}`}
          heads={['Scope', 'Limit', 'Allowed', 'Used', 'Of it', 'Halts']}
          rows={rows}
        />
      )}
      {children}
    </Panel>
  );
}

const NEARLY = 0.8;

function Used({ of, limit: { limit, utilization } }: { readonly of: string; readonly limit: LimitStatus }) {
  if (utilization === undefined) return '–';
  // A part between 0 and 1 for a bar on the screen; what is decided with it, the desk decides.
  const part = Number(utilization);
  const label = `${limit} of ${of}`;
  return (
    <span className="used" data-near={part >= NEARLY}>
      <meter aria-label={label} min={0} max={1} high={NEARLY} value={Math.min(1, Math.max(0, part))} />{' '}
      {percent(utilization)}
      {part >= 1 ? ' reached' : part >= NEARLY ? ' close' : ''}
    </span>
  );
}

export function Permits({ desk }: { readonly desk: Desk }) {
  const { count, unknown, listed } = desk.open_permits;
  const title = `Outstanding permits: ${count}`;
  return (
    <Panel title={title}>
      {unknown === 0 ? null : (
        <p className="problem">{counted(unknown, 'order')} of which nobody knows whether the venue has it.</p>
      )}
      {listed.length === 0 ? (
        <Empty title="No permit is out">No order is on its way or rests at a venue with the desk’s permission.</Empty>
      ) : (
        <Table
          caption="Outstanding permits, the oldest first"
          heads={['Since', 'Venue', 'Symbol', 'Side', 'Quantity', 'Price', 'Filled', 'Reduces', 'Status', 'Execution']}
          rows={listed.map(
            (permit) =>
              [
                permit.permit_id,
                clock(permit.at),
                permit.venue,
                permit.symbol,
                permit.side,
                amount(permit.quantity),
                amount(permit.price),
                amount(permit.filled),
                permit.reduces ? 'yes' : 'no',
                permit.unknown === true ? 'unknown' : permit.status,
                <Link key="execution" to={pathOf('executions', permit.execution_id)}>
                  {permit.execution_id}
                </Link>,
              ] as const,
          )}
        />
      )}
    </Panel>
  );
}

/** What was commanded, by whom, and what the desk said to it. */
import { moment } from '../format';
import { useResource } from '../resource';
import { useSession } from '../session';
import { Empty, Freshness, Panel, Table } from '../shell/parts';

const EVERY_MS = 15_000;

export function DeskHistory() {
  const { audit } = useSession();
  const reading = useResource(audit, EVERY_MS);
  const entries = reading.data ?? [];
  return (
    <Panel title="History of changes" aside={<Freshness reading={reading} />}>
      {entries.length === 0 ? (
        <Empty title="Nothing on record yet">
          Every command is written here, also each that is refused, when a journal is configured (
          <code>DATABASE_URL</code>).
        </Empty>
      ) : (
        <Table
          caption="Commands to the desk, newest first"
          heads={['At', 'Action', 'Scope', 'Outcome', 'By', 'Reason']}
          rows={entries.map(
            ({ position, at, action, scope, outcome, actor, reason }) =>
              [String(position), <time key="at">{moment(at)}</time>, action, scope, outcome, actor, reason] as const,
          )}
        />
      )}
    </Panel>
  );
}

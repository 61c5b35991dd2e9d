/** A short list of executions, each a link to its page. */
import { moment } from '../format';
import { Link } from '../navigation';
import { pathOf } from '../routes';
import { ModeBadge, StateMark, Table } from '../shell/parts';
import type { Row } from './listed';

export function ExecutionRows({ rows }: { readonly rows: readonly Row[] }) {
  return (
    <Table
      caption="Executions"
      heads={['Execution', 'State', 'Graph', 'Mode', 'Started']}
      rows={rows.map(
        ({ execution_id, workflow_id, state, mode, started_at }) =>
          [
            execution_id,
            <Link key="id" to={pathOf('executions', execution_id)}>
              {execution_id}
            </Link>,
            <StateMark key="state" state={state} />,
            workflow_id,
            <ModeBadge key="mode" mode={mode} />,
            moment(started_at),
          ] as const,
      )}
    />
  );
}

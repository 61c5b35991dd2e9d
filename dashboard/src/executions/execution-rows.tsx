/** A short list of executions, each a link to its page. */
import { moment } from '../format';
import { Link } from '../navigation';
import { pathOf } from '../routes';
import { ModeBadge, StateMark } from '../shell/parts';
import type { Row } from './listed';

export function ExecutionRows({ rows }: { readonly rows: readonly Row[] }) {
  return (
    <ul className="plain-list execution-rows">
      {rows.map(({ execution_id, workflow_id, state, mode, started_at }) => (
        <li key={execution_id}>
          <Link to={pathOf('executions', execution_id)} className="cut">
            {execution_id}
          </Link>
          <StateMark state={state} />
          <span className="quiet cut">
            {workflow_id}, {moment(started_at)}
          </span>
          <ModeBadge mode={mode} />
        </li>
      ))}
    </ul>
  );
}

/** Decisions this execution waits for. */
import { useState } from 'react';
import { wordsOf } from '../api';
import { moment } from '../format';
import { useValue } from '../observable';
import { useSession } from '../session';
import { Field } from '../shell/field';
import { Panel } from '../shell/parts';
import type { ExecutionStore } from './execution-store';
import type { NodeShown } from './nodes';

const MOST_CHARACTERS = 1_000;

export function Approvals({ store }: { readonly store: ExecutionStore }) {
  const waiting = useValue(store.awaiting);
  if (waiting.length === 0) return null;
  return (
    <Panel title="Waits for a decision">
      <ul className="approvals">
        {waiting.map((node) => (
          <Approval key={node.key} store={store} node={node} />
        ))}
      </ul>
    </Panel>
  );
}

function Approval({ store, node }: { readonly store: ExecutionStore; readonly node: NodeShown }) {
  const { api } = useSession();
  const [comment, setComment] = useState('');
  const [words, setWords] = useState('');
  const { key, waits_for } = node;
  const decide = (decision: 'approve' | 'reject') => {
    setWords(`${decision}: sent…`);
    const path = `/api/executions/${encodeURIComponent(store.id)}/nodes/${encodeURIComponent(key)}/approve`;
    api.post(path, comment.trim() === '' ? { decision } : { decision, comment: comment.trim() }).then(
      () => {
        setWords(`${decision}: taken`);
        void store.read();
      },
      (error: unknown) => {
        setWords(`Not taken: ${wordsOf(error)}`);
      },
    );
  };
  return (
    <li data-approval={key}>
      <p>
        <strong>{key}</strong> {waits_for?.message}
      </p>
      <Terms node={node} />
      <div className="fields">
        <Field label={`Comment for ${key}, if any`} value={comment} onChange={setComment} maxLength={MOST_CHARACTERS} />
      </div>
      <div className="buttons left">
        {(['approve', 'reject'] as const).map((decision) => (
          <button
            key={decision}
            type="button"
            className={decision === 'approve' ? 'primary' : ''}
            onClick={() => {
              decide(decision);
            }}
          >
            {decision === 'approve' ? 'Approve' : 'Reject'} {key}
          </button>
        ))}
      </div>
      <p role="status">{words}</p>
    </li>
  );
}

function Terms({
  node: { waits_for, approvers = waits_for?.approvers, deadline = waits_for?.until },
}: {
  readonly node: NodeShown;
}) {
  const who = approvers === undefined ? 'Any operator may decide' : `May decide: ${approvers.join(', ')}`;
  return (
    <p className="quiet">
      {who}
      {deadline === undefined ? '; it waits for ever.' : `; until ${moment(deadline)}.`}
    </p>
  );
}

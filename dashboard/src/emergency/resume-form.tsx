/**
 * Lowering one scope. What was seen when the form was opened is what is lifted: a cause that comes while somebody writes a reason is not,
 * and the desk refuses a resume that did not see it.
 */
import { useState, type SyntheticEvent } from 'react';
import { useSession } from '../session';
import { Field } from '../shell/field';
import type { DeskScope } from '../wire';
import type { Action } from './command';
import { causeWords, resumeOf } from './facts';

interface ResumeFormProps {
  readonly scope: DeskScope;
  readonly action: Extract<Action, 'resume' | 'approve'>;
  readonly onDone: () => void;
}

export function ResumeForm({ scope: now, action, onDone }: ResumeFormProps) {
  const { commands } = useSession();
  const [seen, setSeen] = useState(now);
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState('');
  const { scope } = seen;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const missing = missingOf({ scope, reason, typed });
    setProblem(missing);
    if (missing !== '') return;
    const { causes, expected_epoch } = resumeOf(seen);
    const more = action === 'resume' ? { causes, expected_epoch } : { expected_epoch };
    void commands.send({ action, scope, reason: reason.trim(), more });
    onDone();
  };
  return (
    <form className="confirm" aria-label={`${action} ${scope}`} onSubmit={submit}>
      <p>This lifts, as of epoch {seen.epoch}:</p>
      <ul>
        {seen.causes.map((cause) => (
          <li key={cause.id}>{causeWords(cause)}</li>
        ))}
      </ul>
      {now.epoch === seen.epoch ? null : (
        <Changed
          words="It has changed since this form was opened, and the desk would refuse this resume."
          onLook={() => {
            setSeen(now);
          }}
        />
      )}
      <Field label="Reason" value={reason} onChange={setReason} />
      <Field label={`Type ${scope} to confirm`} value={typed} onChange={setTyped} />
      <p className="problem" role="alert">
        {problem}
      </p>
      <div className="buttons">
        <button type="button" onClick={onDone}>
          Cancel
        </button>
        <button type="submit" className="primary">
          {action === 'resume' ? 'Resume' : 'Approve the resume'}
        </button>
      </div>
    </form>
  );
}

interface Given {
  readonly scope: string;
  readonly reason: string;
  readonly typed: string;
}

/** Empty when nothing is. */
function missingOf({ scope, reason, typed }: Given): string {
  if (reason.trim() === '') return 'A reason is needed: it goes on record.';
  return typed.trim() === scope ? '' : `Nothing was sent: type ${scope}, exactly so.`;
}

export function Changed({ words, onLook }: { readonly words: string; readonly onLook: () => void }) {
  return (
    <p className="problem" role="alert">
      {words}{' '}
      <button type="button" onClick={onLook}>
        Look again
      </button>
    </p>
  );
}

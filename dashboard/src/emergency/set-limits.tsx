/** Limits of one scope, set. What is sent is what was changed against what was seen when the form was opened, and nothing else. */
import { useState, type SyntheticEvent } from 'react';
import { useSession } from '../session';
import { Field } from '../shell/field';
import type { Desk, DeskScope } from '../wire';
import { commandLine, scopeIn } from './facts';
import { LIMITS, changesOf, draftOf, isSame, standingOf, type LimitDraft } from './limit-draft';
import { Changed } from './resume-form';

export function SetLimits({ desk, scope }: { readonly desk: Desk; readonly scope: string }) {
  const [isOpen, setOpen] = useState(false);
  if (isOpen) {
    return (
      <LimitsForm
        scope={scope}
        now={scopeIn(desk, scope)}
        onDone={() => {
          setOpen(false);
        }}
      />
    );
  }
  return (
    <div className="buttons left">
      <button
        type="button"
        onClick={() => {
          setOpen(true);
        }}
      >
        {`Set limits of ${scope}…`}
      </button>
    </div>
  );
}

const TERMS =
  'An empty field is no limit; amounts are written like 500 or 0.25. A limit that is breached already halts at once. It takes the role admin.';

interface FormProps {
  readonly scope: string;
  readonly now: DeskScope | undefined;
  readonly onDone: () => void;
}

function LimitsForm({ scope, now, onDone }: FormProps) {
  const { commands } = useSession();
  const [seen, setSeen] = useState(() => draftOf(now));
  const [draft, setDraft] = useState(seen);
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState('');
  const current = draftOf(now);
  const { words, ...changes } = changesOf(seen, draft);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const missing = missingOf(words, reason);
    setProblem(missing);
    if (missing !== '') return;
    void commands.send({ action: 'set_limits', scope, reason: reason.trim(), more: changes });
    onDone();
  };
  return (
    <form className="confirm" aria-label={`set limits of ${scope}`} onSubmit={submit}>
      <p>{TERMS}</p>
      {isSame(seen, current) ? null : (
        <Changed
          words="The limits have changed since this form was opened."
          onLook={() => {
            setSeen(current);
            setDraft(current);
          }}
        />
      )}
      <LimitFields draft={draft} now={now} onChange={setDraft} />
      <Field label="Reason for the change" value={reason} onChange={setReason} />
      <ChangeList words={words} />
      <p className="problem" role="alert">
        {problem}
      </p>
      <div className="buttons">
        <button type="button" onClick={onDone}>
          Leave them
        </button>
        <button type="submit" className="primary">
          Set limits
        </button>
      </div>
      <p className="quiet">
        Without this page: <code>{commandLine('set_limits', scope)}</code>
      </p>
    </form>
  );
}

/** Empty when nothing is. */
function missingOf(words: readonly string[], reason: string): string {
  if (words.length === 0) return 'Nothing was sent: nothing is changed.';
  return reason.trim() === '' ? 'Nothing was sent: a reason is needed, it goes on record.' : '';
}

interface FieldsProps {
  readonly draft: LimitDraft;
  readonly now: DeskScope | undefined;
  readonly onChange: (draft: LimitDraft) => void;
}

function LimitFields({ draft, now, onChange }: FieldsProps) {
  const { texts, auto_halt } = draft;
  return (
    <>
      <div className="fields">
        {LIMITS.map(([name, words]) => (
          <Field
            key={name}
            label={`${words}: ${standingOf(now?.limits.find(({ limit }) => limit === name))}`}
            value={texts[name] ?? ''}
            placeholder="no limit"
            onChange={(text) => {
              onChange({ ...draft, texts: { ...texts, [name]: text } });
            }}
          />
        ))}
      </div>
      <label className="check">
        <input
          type="checkbox"
          checked={auto_halt}
          onChange={(event) => {
            onChange({ ...draft, auto_halt: event.target.checked });
          }}
        />
        A breach halts the scope
      </label>
    </>
  );
}

function ChangeList({ words }: { readonly words: readonly string[] }) {
  if (words.length === 0) return <p className="quiet">Nothing is changed yet.</p>;
  return (
    <>
      <p>This changes:</p>
      <ul>
        {words.map((each) => (
          <li key={each}>{each}</li>
        ))}
      </ul>
    </>
  );
}

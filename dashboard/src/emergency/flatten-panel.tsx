/** Closing what a scope holds. It has to be meant: the scope is typed once more, and the desk wants it so too. */
import { useState, type SyntheticEvent } from 'react';
import { useSession } from '../session';
import { Field } from '../shell/field';
import { Panel } from '../shell/parts';

export function FlattenPanel({ scope }: { readonly scope: string }) {
  const { commands } = useSession();
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState('');
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const isReady = reason.trim() !== '' && typed.trim() === scope;
    setProblem(isReady ? '' : `Nothing was sent: give a reason, and type ${scope}, exactly so.`);
    if (!isReady) return;
    void commands.send({ action: 'flatten', scope, reason: reason.trim(), more: { confirm: typed.trim() } });
    setTyped('');
  };
  return (
    <Panel title="Close positions">
      <details>
        <summary>Close everything {scope} holds, at market</summary>
        <form className="confirm" aria-label={`flatten ${scope}`} onSubmit={submit}>
          <p>
            It cancels what rests, protective stops too, then sells what is held and buys back what is short. It halts
            nothing: halt first, or what trades may buy again. It takes the role admin.
          </p>
          <Field label="Reason for closing" value={reason} onChange={setReason} />
          <Field label={`Type ${scope} to close its positions`} value={typed} onChange={setTyped} />
          <p className="problem" role="alert">
            {problem}
          </p>
          <div className="buttons">
            <button type="submit" className="danger">
              Close positions
            </button>
          </div>
          <p className="quiet">
            What it would do: <code>{`npx holdfast flatten ${scope} --dry-run --reason "why"`}</code>
          </p>
        </form>
      </details>
    </Panel>
  );
}

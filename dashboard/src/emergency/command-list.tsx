/** What became of the commands given from this page: requested, accepted, in force and sealed are four facts. */
import { useValue } from '../observable';
import { useSession } from '../session';
import { Panel } from '../shell/parts';
import type { Commanded } from './command';
import { commandLine, factsOf, scopeIn, type Fact } from './facts';
import { nameOfScope } from './scopes';

const SIGNS = { done: '✓', open: '…', failed: '✕' } as const;

export function CommandList() {
  const { commands } = useSession();
  const all = useValue(commands.all);
  if (all.length === 0) return null;
  return (
    <Panel title="Given from this page">
      <ol className="commands" aria-live="polite">
        {all.map((command) => (
          <Given key={command.command_id} command={command} />
        ))}
      </ol>
    </Panel>
  );
}

function Given({ command }: { readonly command: Commanded }) {
  const { desk } = useSession();
  const { data } = useValue(desk.reading);
  const { action, scope, reason, outcome, command_id } = command;
  const isLost = outcome.kind === 'unanswered' || (outcome.kind === 'asked' && command.tries > 1);
  return (
    <li data-command={command_id} data-action={action}>
      <p>
        <strong>{`${action.replace('_', ' ')} ${nameOfScope(scope)}`}</strong> <span className="quiet">{reason}</span>
      </p>
      <dl className="facts">
        {factsOf(command, scopeIn(data, scope)).map((fact) => (
          <FactLine key={fact.name} fact={fact} />
        ))}
      </dl>
      {isLost ? (
        <p className="problem">
          The gateway does not answer. From any machine that reaches Temporal: <code>{commandLine(action, scope)}</code>
        </p>
      ) : null}
    </li>
  );
}

function FactLine({ fact: { name, state, words } }: { readonly fact: Fact }) {
  return (
    <div data-fact={name} data-done={state}>
      <dt>
        <span aria-hidden="true">{SIGNS[state]}</span> {name}
      </dt>
      <dd>{words}</dd>
    </div>
  );
}

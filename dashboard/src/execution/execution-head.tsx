/** Which execution, how it stands, and what can be done to it as a whole. */
import { useState } from 'react';
import { wordsOf } from '../api';
import { moment } from '../format';
import { fromSummary } from '../executions/listed';
import { Link, go } from '../navigation';
import { usePart, useValue } from '../observable';
import { pathOf } from '../routes';
import { useSession, type Session } from '../session';
import { Field } from '../shell/field';
import { Freshness, ModeBadge, StateMark } from '../shell/parts';
import { HoldButton } from '../emergency/hold-button';
import type { ExecutionDetail } from '../wire';
import type { ExecutionStore } from './execution-store';

/** The feed's word, or that of the list until there is one; an end is final. */
export function useExecutionState(
  session: Session,
  store: ExecutionStore,
): { readonly state: string; readonly has_ended: boolean } {
  // Of its view these alone, which do not change with every event.
  const state = usePart(session.executions, (all) => all.get(store.id)?.state);
  const has_ended = usePart(session.executions, (all) => all.get(store.id)?.has_ended ?? false);
  const told = state === undefined ? undefined : { state, has_ended };
  const { data } = useValue(store.detail.reading);
  if (data === undefined) return { state: state ?? 'running', has_ended };
  const own = data.status?.state;
  return fromSummary(own === undefined ? data : { ...data, state: own }, told);
}

export function ExecutionHead({ store }: { readonly store: ExecutionStore }) {
  const reading = useValue(store.detail.reading);
  const problem = useValue(store.problem);
  const { state, has_ended } = useExecutionState(useSession(), store);
  const { data } = reading;
  if (data === undefined) return null;
  const { graph, execution_id, workflow_id, mode, started_at, status } = data;
  return (
    <>
      <div className="page-head">
        <div>
          <h1 id="title">{graph.name ?? workflow_id}</h1>
          <p className="quiet">{execution_id}</p>
        </div>
        <p id="badges" className="badges">
          <ModeBadge mode={mode} />
          <StateMark state={state} />
        </p>
        <span className="spread" />
        <Commands id={execution_id} state={state} hasEnded={has_ended} onDone={() => void store.read()} />
      </div>
      <p className="quiet">
        Graph <Link to={pathOf('strategies', workflow_id)}>{workflow_id}</Link>, version {data.graph_version ?? '–'},
        started {moment(started_at)}
        {data.closed_at === undefined ? '' : `, ended ${moment(data.closed_at)}`}
        <WebUi address={data.web_ui_url} />
      </p>
      <Troubles status={status} />
      {problem === undefined ? null : <p className="problem">{`Its events could not be read: ${problem}`}</p>}
      <Freshness reading={reading} />
    </>
  );
}

/** Of the configuration, which may hold anything: what is not of the web is no link. */
function WebUi({ address }: { readonly address: string | undefined }) {
  if (address === undefined || !/^https?:/.test(address)) return null;
  return (
    <>
      {' · '}
      <a href={address} target="_blank" rel="noreferrer">
        This run in Temporal’s Web UI
      </a>
    </>
  );
}

/** How it failed, and for what it is halted. */
function Troubles({ status }: { readonly status: ExecutionDetail['status'] }) {
  if (status === undefined) return null;
  const { error, error_type = 'Error', halts = [] } = status;
  return (
    <>
      {error === undefined ? null : <p className="problem">{`${error_type}: ${error}`}</p>}
      {halts.map(({ scope, reason }) => (
        <p key={scope} className="problem">{`Halted for ${scope}: ${reason}`}</p>
      ))}
    </>
  );
}

interface CommandsProps {
  readonly id: string;
  readonly state: string;
  readonly hasEnded: boolean;
  readonly onDone: () => void;
}

type Command = 'halt' | 'resume' | 'cancel';

const NO_REASON = 'dashboard: no reason given';

function Commands({ id, state, hasEnded, onDone }: CommandsProps) {
  const { api } = useSession();
  const [reason, setReason] = useState('');
  const [answer, setAnswer] = useState('');
  const send = (command: Command) => {
    setAnswer(`${command}: sent…`);
    const body = { reason: reason.trim() || NO_REASON };
    api.post<{ readonly state?: string }>(`/api/executions/${encodeURIComponent(id)}/${command}`, body).then(
      (said) => {
        setAnswer(`${command}: accepted. The execution says: ${said.state ?? 'nothing yet, no worker answers'}.`);
        onDone();
      },
      (error: unknown) => {
        setAnswer(`${command}: not answered. ${wordsOf(error)} Without this page: npx holdfast ${command} ${id}`);
      },
    );
  };
  return (
    <div className="execution-commands">
      {hasEnded ? (
        <Rerun id={id} state={state} onSaid={setAnswer} />
      ) : (
        <Steering state={state} reason={reason} onReason={setReason} onSend={send} />
      )}
      <p id="command-answer" role="status">
        {answer}
      </p>
    </div>
  );
}

interface SteeringProps {
  readonly state: string;
  readonly reason: string;
  readonly onReason: (reason: string) => void;
  readonly onSend: (command: Command) => void;
}

/** Each is held: a cancel ends it for good, and a resume begins what stood still. */
function Steering({ state, reason, onReason, onSend }: SteeringProps) {
  const commands: readonly Command[] = [state === 'halted' ? 'resume' : 'halt', 'cancel'];
  return (
    <div className="steering">
      <Field label="Reason" value={reason} onChange={onReason} placeholder={NO_REASON} />
      {commands.map((command) => (
        <HoldButton
          key={command}
          className={command === 'halt' ? 'danger' : ''}
          onFire={() => {
            onSend(command);
          }}
        >
          {TITLES[command]}
        </HoldButton>
      ))}
    </div>
  );
}

const TITLES: Readonly<Record<Command, string>> = { halt: 'Halt', resume: 'Resume', cancel: 'Cancel for good' };

interface RerunProps {
  readonly id: string;
  readonly state: string;
  readonly onSaid: (words: string) => void;
}

/** What failed or never ran, runs again; from a node of one's choice is offered with that node. */
function Rerun({ id, state, onSaid }: RerunProps) {
  const { api } = useSession();
  if (state === 'completed') return null;
  return (
    <button
      type="button"
      onClick={() => {
        void rerun(api, id, undefined).then(onSaid);
      }}
    >
      Run again what failed
    </button>
  );
}

/** Goes to the new execution. Resolves with what to say when there is none. */
export async function rerun(api: Session['api'], id: string, from: string | undefined): Promise<string> {
  try {
    const path = `/api/executions/${encodeURIComponent(id)}/rerun`;
    const answer = await api.post<{ readonly execution_id: string }>(path, from === undefined ? {} : { from });
    go(pathOf('executions', answer.execution_id));
    return '';
  } catch (error) {
    return `Not run again: ${wordsOf(error)}`;
  }
}

/** Deploying a graph: its text is checked as a whole first, and only what was found without a mistake can be deployed. */
import { useRef, useState, type ChangeEvent, type RefObject } from 'react';
import { wordsOf } from '../api';
import { counted } from '../format';
import { Link } from '../navigation';
import { pathOf } from '../routes';
import { useSession } from '../session';
import { Panel } from '../shell/parts';
import type { Deployment, GraphCheck, Mistake } from '../wire';
import { changeWords, hintOf, offsetOf, placeOf } from './graph-text';

/** The gateway takes no larger graph. */
const MOST_CHARACTERS = 1_048_576;

type Stands =
  | { readonly kind: 'written' }
  | { readonly kind: 'working'; readonly words: string }
  | { readonly kind: 'checked'; readonly check: GraphCheck }
  | { readonly kind: 'deployed'; readonly deployment: Deployment }
  | { readonly kind: 'failed'; readonly words: string };

export function Deploy() {
  return (
    <Panel title="Deploy a graph">
      <details>
        <summary>Paste a graph in JSON or YAML, or take it from a file</summary>
        <DeployForm />
      </details>
    </Panel>
  );
}

function DeployForm() {
  const { api, deployments } = useSession();
  const [text, setText] = useState('');
  const [stands, setStands] = useState<Stands>({ kind: 'written' });
  const area = useRef<HTMLTextAreaElement>(null);
  const write = (next: string) => {
    setText(next);
    // What was checked is no longer what stands there.
    setStands({ kind: 'written' });
  };
  const attempt = async (words: string, work: () => Promise<Stands>) => {
    setStands({ kind: 'working', words });
    setStands(await work().catch((error: unknown) => ({ kind: 'failed' as const, words: wordsOf(error) })));
  };
  const check = () =>
    attempt('Checking…', async () => {
      return { kind: 'checked', check: await api.post<GraphCheck>('/api/graphs/check', { text }) };
    });
  const deploy = (graph: object, id: string) =>
    attempt('Deploying…', async () => {
      const deployment = await api.put<Deployment>(`/api/workflows/${encodeURIComponent(id)}`, graph);
      void deployments.refresh();
      return { kind: 'deployed', deployment };
    });
  return (
    <div className="confirm">
      <FileField onText={write} />
      <TextField area={area} text={text} onText={write} />
      <div className="buttons left">
        <button type="button" onClick={() => void check()}>
          Check it
        </button>
      </div>
      <div id="deploy" role="status">
        <Outcome stands={stands} area={area} onDeploy={(graph, id) => void deploy(graph, id)} />
      </div>
    </div>
  );
}

function FileField({ onText }: { readonly onText: (text: string) => void }) {
  const take = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    if (file !== undefined) onText(await file.text());
  };
  return (
    <label>
      File
      <input type="file" accept=".json,.yaml,.yml" onChange={(event) => void take(event)} />
    </label>
  );
}

interface TextProps {
  readonly area: RefObject<HTMLTextAreaElement | null>;
  readonly text: string;
  readonly onText: (text: string) => void;
}

function TextField({ area, text, onText }: TextProps) {
  return (
    <label>
      Graph
      <textarea
        ref={area}
        rows={12}
        value={text}
        maxLength={MOST_CHARACTERS}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => {
          onText(event.target.value);
        }}
      />
    </label>
  );
}

interface OutcomeProps {
  readonly stands: Stands;
  readonly area: TextProps['area'];
  readonly onDeploy: (graph: object, id: string) => void;
}

function Outcome({ stands, area, onDeploy }: OutcomeProps) {
  switch (stands.kind) {
    case 'written':
      return <p className="quiet">Nothing is deployed before all of it was checked. Deploying takes the role admin.</p>;
    case 'working':
      return <p>{stands.words}</p>;
    case 'failed':
      return <p className="problem">Not done: {stands.words}</p>;
    case 'deployed':
      return <Deployed deployment={stands.deployment} />;
    case 'checked':
      return stands.check.valid ? (
        <Valid check={stands.check} onDeploy={onDeploy} />
      ) : (
        <Mistakes mistakes={stands.check.mistakes} area={area} />
      );
  }
}

function Deployed({ deployment: { workflow_id, name, graph_version } }: { readonly deployment: Deployment }) {
  return (
    <p>
      ✓ <Link to={pathOf('strategies', workflow_id)}>{name}</Link> is deployed as version {graph_version}.
    </p>
  );
}

function Valid({ check, onDeploy }: { readonly check: GraphCheck } & Pick<OutcomeProps, 'onDeploy'>) {
  const { graph, imported } = check;
  if (graph === undefined) return null;
  return (
    <>
      <p>
        ✓ No mistakes: <strong>{graph.name ?? graph.id}</strong>, {counted(Object.keys(graph.nodes).length, 'node')}.{' '}
        {changeWords(check)}
      </p>
      {imported.length === 0 ? null : (
        <ul>
          {imported.map((words) => (
            <li key={words}>{words}</li>
          ))}
        </ul>
      )}
      <div className="buttons left">
        <button
          type="button"
          className="primary"
          onClick={() => {
            onDeploy(graph, graph.id);
          }}
        >
          Deploy {graph.id}
        </button>
      </div>
    </>
  );
}

interface MistakesProps {
  readonly mistakes: readonly Mistake[];
  readonly area: TextProps['area'];
}

/** Each leads to its place in the text. */
function Mistakes({ mistakes, area }: MistakesProps) {
  return (
    <>
      <p className="problem">✕ {counted(mistakes.length, 'mistake')}; nothing was deployed.</p>
      <ol className="mistakes">
        {mistakes.map((mistake) => (
          <li key={`${mistake.path} ${mistake.code} ${mistake.message}`} data-mistake={mistake.code}>
            <button
              type="button"
              className="plain"
              onClick={() => {
                goTo(area.current, mistake);
              }}
            >
              {placeOf(mistake)}
            </button>{' '}
            {mistake.node_id === undefined ? null : <strong>{mistake.node_id}</strong>} {hintOf(mistake)}
          </li>
        ))}
      </ol>
    </>
  );
}

function goTo(area: HTMLTextAreaElement | null, { line = 1, column = 1 }: Mistake): void {
  if (area === null) return;
  const at = offsetOf(area.value, line, column);
  area.focus();
  area.setSelectionRange(at, Math.min(at + 1, area.value.length));
}

/** What a bot or a strategy came to over a week: figures, and its equity, drawdown and profit with what happened marked on them. */
import { useEffect, useMemo, useState } from 'react';
import { drawdownCurve, equityCurve, profitCurve, resultCurve, type CurvePoint } from '../charts/curves';
import type { EquityChart } from '../charts/equity-chart';
import { linesOf, type Happened } from '../charts/marks';
import { counted, moment } from '../format';
import { Resource, useResource } from '../resource';
import { useSession } from '../session';
import { Empty, Freshness, Panel, Table } from '../shell/parts';
import type { Performance } from '../wire';
import { Figures } from './figures';

let chart: typeof EquityChart | undefined;
const loadChart = async () => (chart ??= (await import('../charts/equity-chart')).EquityChart);
const EVERY_MS = 30_000;
const WINDOW = '7d';

interface ResultsProps {
  readonly of: 'bots' | 'strategies';
  readonly id: string;
}

export function Results({ of, id }: ResultsProps) {
  const { api } = useSession();
  // Beside the answer, not after it. Where it cannot be had, the curve says so.
  useEffect(() => void loadChart().catch(() => undefined), []);
  const resource = useMemo(
    () => new Resource(() => api.get<Performance>(`/api/${of}/${encodeURIComponent(id)}/performance?window=${WINDOW}`)),
    [api, of, id],
  );
  const reading = useResource(resource, EVERY_MS);
  const { data } = reading;
  return (
    <Panel title={`Results of ${id} over ${WINDOW}`} aside={<Freshness reading={reading} />}>
      {data === undefined ? null : <Shown of={of} id={id} performance={data} />}
    </Panel>
  );
}

interface ShownProps extends ResultsProps {
  readonly performance: Performance;
}

function Shown({ of, id, performance }: ShownProps) {
  const { metrics, fills } = performance;
  const profit = useMemo(() => profitCurve(fills), [fills]);
  return (
    <>
      <Figures metrics={metrics} />
      {of === 'bots' ? (
        <Equity id={id} performance={performance} />
      ) : (
        <StrategyResult id={id} performance={performance} />
      )}
      <Curve title="Profit realised, fees off" of={id} points={profit}>
        It is drawn once two orders were filled.
      </Curve>
      <HappenedList happened={performance} />
    </>
  );
}

type WorthProps = Omit<ShownProps, 'of'>;

function Equity({ id, performance }: WorthProps) {
  const { equity } = performance;
  const curves = useMemo(() => ({ equity: equityCurve(equity), drawdown: drawdownCurve(equity) }), [equity]);
  return (
    <>
      <Curve title="Equity" of={id} points={curves.equity} happened={performance}>
        Its equity is drawn once the journal holds two points of it.
      </Curve>
      <Curve title="Drawdown, in percent" of={id} points={curves.drawdown} happened={performance}>
        It is drawn beside the equity.
      </Curve>
    </>
  );
}

function StrategyResult({ id, performance }: WorthProps) {
  const { equity } = performance;
  const points = useMemo(() => resultCurve(equity), [equity]);
  return (
    <Curve title="Realised and unrealised, fees off" of={id} points={points} happened={performance}>
      It is drawn once the journal holds two points of it. Equity and drawdown are its bot’s.
    </Curve>
  );
}

interface CurveProps {
  readonly title: string;
  readonly of: string;
  readonly points: readonly CurvePoint[];
  readonly happened?: Happened;
  /** When there will be one. */
  readonly children: string;
}

function Curve({ title, of, points, happened, children }: CurveProps) {
  const Chart = useChart();
  return (
    <>
      <h3>{title}</h3>
      {points.length < 2 ? (
        <Empty title="No curve yet">{children}</Empty>
      ) : Chart === undefined ? (
        <p className="quiet">Loading the chart…</p>
      ) : (
        <Chart points={points} label={`${title} of ${of}`} {...(happened === undefined ? {} : { happened })} />
      )}
    </>
  );
}

type Loaded = { readonly Chart: typeof EquityChart } | { readonly error: unknown };

/**
 * Not `lazy`: React keeps a fallback it has shown for 0.3 s, also when what it stands for is there with the next turn. What came before the
 * answer is drawn in the same frame as all else.
 */
function useChart(): typeof EquityChart | undefined {
  const [loaded, setLoaded] = useState<Loaded | undefined>(() => (chart === undefined ? undefined : { Chart: chart }));
  useEffect(() => {
    loadChart().then(
      (Chart) => {
        setLoaded((known) => known ?? { Chart });
      },
      (error: unknown) => {
        setLoaded({ error });
      },
    );
  }, []);
  if (loaded === undefined) return undefined;
  if ('error' in loaded) throw loaded.error;
  return loaded.Chart;
}

function HappenedList({ happened }: { readonly happened: Happened }) {
  const lines = useMemo(() => linesOf(happened), [happened]);
  const { fills, halts } = happened;
  if (lines.length === 0) return <p className="quiet">No fill and no halt in this time.</p>;
  return (
    <details>
      <summary>{`${counted(fills.length, 'fill')} and ${counted(halts.length, 'halt')}, newest first`}</summary>
      <Table
        caption="Fills and halts, newest first"
        heads={['At', 'What', 'Of what']}
        rows={lines.map(({ key, at, what, words }) => [key, moment(at), what, words] as const)}
      />
    </details>
  );
}

/** Figures of nodes, in words. Pure. */
import type { NodeShown, Nodes } from '../execution/nodes';
import { counted, duration, moment, percent } from '../format';
import type { GraphFigures, NodeFigures } from '../wire';

/** What a condition hopes for. */
const HOPED = ['pass', 'true', 'approved', 'received'];

/** As the graph draws them: one of which a run failed stands out. */
export function shownFigures({ nodes }: GraphFigures): Nodes {
  return Object.fromEntries(
    Object.entries(nodes).map(([key, source]): [string, NodeShown] => [
      key,
      { key, node_id: key, state: source.failures > 0 ? 'failed' : 'completed', source },
    ]),
  );
}

/** The part of its runs in which a condition went the way that is hoped for; undefined for what has no such way. */
export function passRate({ branches }: NodeFigures): string | undefined {
  if (branches === undefined) return undefined;
  const hoped = HOPED.find((name) => branches[name] !== undefined) ?? hopedOf(branches);
  const all = Object.values(branches).reduce((sum, each) => sum + each, 0);
  return hoped === undefined || all === 0 ? undefined : percent((branches[hoped] ?? 0) / all);
}

const OPPOSITES: Readonly<Record<string, string>> = {
  fail: 'pass',
  false: 'true',
  rejected: 'approved',
  timed_out: 'received',
};

/** It never went there yet. */
function hopedOf(branches: Readonly<Record<string, number>>): string | undefined {
  return Object.keys(branches).flatMap((name) => OPPOSITES[name] ?? [])[0];
}

/** In one line of a box. */
export function figuresLine(figures: NodeFigures | undefined): string {
  if (figures === undefined) return 'no figures';
  const { runs, failures, mean_ms } = figures;
  const pass = passRate(figures);
  return [
    counted(runs, 'run'),
    ...(failures === 0 ? [] : [`${failures} failed`]),
    ...(pass === undefined ? [] : [`pass ${pass}`]),
    ...(mean_ms === undefined ? [] : [duration(mean_ms)]),
  ].join(' · ');
}

export function branchWords({ branches = {} }: NodeFigures): string {
  const words = Object.entries(branches).map(([name, count]) => `${name} ${count}`);
  return words.length === 0 ? '–' : words.join(', ');
}

/** Over which executions it is taken. */
export function spanWords({ executions, from, to, graph_version }: GraphFigures): string {
  const when = from === undefined || to === undefined ? '' : `, from ${moment(from)} to ${moment(to)}`;
  return `Over ${counted(executions, 'ended execution')} of version ${graph_version}${when}. Loops, waits and approvals run inside the execution and leave no figures.`;
}

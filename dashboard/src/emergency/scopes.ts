/** Which scopes the panel offers: what the desk and the deployed graphs name. Pure. */
import type { Deployment, Desk, GraphNode } from '../wire';
import { GLOBAL } from './facts';

export interface ScopeGroup {
  readonly title: string;
  readonly scopes: readonly string[];
}

const GROUPS = [
  ['Bots', 'bot:'],
  ['Strategies', 'strategy:'],
  ['Symbols', 'symbol:'],
  ['Venues', 'venue:'],
] as const;

/** Without a desk only what the graphs and `chosen` name; everything can always be halted. */
export function scopesOffered(
  desk: Desk | undefined,
  deployments: readonly Deployment[],
  chosen: string,
): readonly ScopeGroup[] {
  const named = new Set([...ofDesk(desk), ...deployments.flatMap(ofGraph), chosen]);
  return GROUPS.flatMap(([title, prefix]) => {
    const scopes = [...named].filter((scope) => scope.startsWith(prefix)).toSorted();
    return scopes.length === 0 ? [] : [{ title, scopes }];
  });
}

function ofDesk(desk: Desk | undefined): readonly string[] {
  if (desk === undefined) return [];
  return [
    ...desk.scopes.map(({ scope }) => scope),
    ...desk.bots.map(({ bot_id }) => `bot:${bot_id}`),
    ...desk.open_permits.listed.map(({ symbol }) => `symbol:${symbol}`),
  ];
}

/** An unregistered bot cannot be halted by itself, so graphs name strategies and symbols alone. */
function ofGraph({ graph }: Deployment): readonly string[] {
  const strategy = graph.strategy_id === undefined ? [] : [`strategy:${graph.strategy_id}`];
  return [...strategy, ...symbolsOf(graph.nodes).map((symbol) => `symbol:${symbol}`)];
}

function symbolsOf(nodes: Readonly<Record<string, GraphNode>>): readonly string[] {
  return Object.values(nodes).flatMap(({ params, body }) => {
    const symbol = params?.['symbol'];
    return [...(typeof symbol === 'string' && !symbol.includes('{') ? [symbol] : []), ...symbolsOf(body?.nodes ?? {})];
  });
}

export function nameOfScope(scope: string): string {
  return scope === GLOBAL ? 'everything' : scope.replace(':', ' ');
}

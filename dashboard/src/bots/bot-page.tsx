/** One bot: how it stands, what it came to, what it holds and has open, what it ran. */
import { useMemo } from 'react';
import { Limits } from '../emergency/limits';
import { LastExecutions } from '../executions/last-executions';
import { amount, moment } from '../format';
import { Link } from '../navigation';
import { useValue } from '../observable';
import { Resource, useResource } from '../resource';
import { useSession } from '../session';
import { Empty, Freshness, Panel, StateMark, Table } from '../shell/parts';
import { Figures } from '../strategies/figures';
import { Results } from '../strategies/results';
import type { BotDetail, Order, Position } from '../wire';

const EVERY_MS = 15_000;

export function BotPage({ id }: { readonly id: string }) {
  const { api, desk } = useSession();
  const one = useMemo(() => new Resource(() => api.get<BotDetail>(`/api/bots/${encodeURIComponent(id)}`)), [api, id]);
  const reading = useResource(one, EVERY_MS);
  const { data } = reading;
  const status = useValue(desk.reading).data;
  return (
    <>
      <div className="page-head">
        <h1>{data?.name ?? id}</h1>
        {data === undefined ? null : <StateMark state={data.emergency.effective_state} />}
        <span className="spread" />
        <Link to={`/emergency?scope=${encodeURIComponent(`bot:${id}`)}`}>Halt or resume this bot</Link>
      </div>
      <Freshness reading={reading} />
      <Panel title="Over 24 hours">
        {data?.metrics === undefined ? (
          <p className="quiet">{data?.metrics_error?.message ?? 'Reading…'}</p>
        ) : (
          <Figures metrics={data.metrics} />
        )}
      </Panel>
      <Results of="bots" id={id} />
      <Positions bot={id} />
      <OpenOrders bot={id} />
      {status === undefined ? null : (
        <Limits desk={{ ...status, scopes: status.scopes.filter(({ scope }) => scope === `bot:${id}`) }} />
      )}
      <LastExecutions by="bot_id" id={id} />
    </>
  );
}

function Positions({ bot }: { readonly bot: string }) {
  const { api } = useSession();
  const resource = useMemo(
    () => new Resource(() => api.get<{ readonly positions: readonly Position[] }>('/api/positions')),
    [api],
  );
  const reading = useResource(resource, EVERY_MS);
  const held = (reading.data?.positions ?? []).flatMap(({ venue, symbol, account, parts }) =>
    parts
      .filter(({ scope }) => scope === `bot:${bot}`)
      .map(
        ({ quantity, notional, unrealized }) =>
          [
            `${venue} ${account} ${symbol}`,
            venue,
            symbol,
            amount(quantity),
            amount(notional, 2),
            amount(unrealized, 2),
          ] as const,
      ),
  );
  return (
    <Panel title="Positions" aside={<Freshness reading={reading} />}>
      {held.length === 0 ? (
        <Empty title="It holds nothing" />
      ) : (
        <Table caption="Positions" heads={['Venue', 'Symbol', 'Quantity', 'Worth', 'Unrealised']} rows={held} />
      )}
    </Panel>
  );
}

function OpenOrders({ bot }: { readonly bot: string }) {
  const { api } = useSession();
  const resource = useMemo(
    () =>
      new Resource(() =>
        api.get<{ readonly orders: readonly Order[] }>(`/api/orders?open=true&bot_id=${encodeURIComponent(bot)}`),
      ),
    [api, bot],
  );
  const reading = useResource(resource, EVERY_MS);
  const orders = reading.data?.orders ?? [];
  return (
    <Panel title="Open orders" aside={<Freshness reading={reading} />}>
      {orders.length === 0 ? (
        <Empty title="None is open" />
      ) : (
        <Table
          caption="Open orders"
          heads={['Order', 'Venue', 'Symbol', 'Side', 'Quantity', 'Price', 'Filled', 'Status', 'Since']}
          rows={orders.map(
            (order) =>
              [
                order.order_id,
                order.order_id,
                order.venue,
                order.symbol,
                order.side,
                amount(order.quantity ?? '–'),
                amount(order.price ?? '–'),
                amount(order.filled_quantity),
                order.status,
                moment(order.updated_at),
              ] as const,
          )}
        />
      )}
    </Panel>
  );
}

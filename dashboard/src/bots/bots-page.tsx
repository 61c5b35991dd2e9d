/** The bots the desk knows, each with how it stands. */
import { scopeIn } from '../emergency/facts';
import { amount } from '../format';
import { Link } from '../navigation';
import { useResource } from '../resource';
import { pathOf } from '../routes';
import { useSession } from '../session';
import { Empty, Freshness, StateMark, Table } from '../shell/parts';
import type { Bot, DeskScope } from '../wire';

const EVERY_MS = 15_000;

export function BotsPage() {
  const reading = useResource(useSession().desk, EVERY_MS);
  const { data } = reading;
  const bots = data?.bots ?? [];
  return (
    <>
      <div className="page-head">
        <h1>Bots</h1>
        <Freshness reading={reading} />
      </div>
      {bots.length === 0 ? (
        <Empty title="No bot is registered">
          Register one:{' '}
          <code>npx holdfast bots add --id bot_001 --name “First bot” --venue paper_binance --equity 1000</code>
        </Empty>
      ) : (
        <Table
          caption="Bots"
          heads={['Bot', 'Name', 'State', 'Venues', 'Held', 'Reserved', 'Open orders', 'Equity']}
          rows={bots.map((bot) => rowOf(bot, scopeIn(data, `bot:${bot.bot_id}`)))}
        />
      )}
    </>
  );
}

/** A bot the desk has nothing to say of is normal and holds nothing. */
const AT_REST = { effective_state: 'normal', held: '0', reserved: '0', open_orders: 0 } as const;

function rowOf({ bot_id, name, venues }: Bot, scope: DeskScope | undefined) {
  const { effective_state, held, reserved, open_orders } = scope ?? AT_REST;
  const equity = scope?.equity;
  return [
    bot_id,
    <Link key="id" to={pathOf('bots', bot_id)}>
      {bot_id}
    </Link>,
    name,
    <StateMark key="state" state={effective_state} />,
    venues.join(', '),
    amount(held),
    amount(reserved),
    open_orders,
    equity === undefined ? '–' : amount(equity, 2),
  ] as const;
}

/** What a bot or a strategy came to, in figures. */
import { amount, duration, percent } from '../format';
import { FigureList } from '../shell/parts';
import type { Metrics } from '../wire';

export function Figures({ metrics }: { readonly metrics: Metrics }) {
  const { realized_pnl, unrealized_pnl, fees, exposure, equity, drawdown_percent, win_rate, mean_duration_ms } =
    metrics;
  const figures: readonly (readonly [string, string])[] = [
    ['Realised', amount(realized_pnl)],
    ['Unrealised', amount(unrealized_pnl)],
    ['Fees', amount(fees)],
    ['Exposure', amount(exposure)],
    ['Equity', equity === undefined ? '–' : amount(equity)],
    ['Drawdown', drawdown_percent === undefined ? '–' : `${amount(drawdown_percent, 2)} %`],
    ['Win rate', win_rate === undefined ? '–' : percent(win_rate)],
    ['Orders', String(metrics.orders)],
    ['Executions', `${metrics.executions}, ${metrics.failures} failed`],
    ['Mean duration', mean_duration_ms === undefined ? '–' : duration(mean_duration_ms)],
  ];
  return <FigureList figures={figures} />;
}

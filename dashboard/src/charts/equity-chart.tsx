/**
 * A curve over time. Its library is loaded with the first chart. It would draw its mark by a style sheet in the page, which the content
 * security policy forbids, so the attribution its licence asks for is a line of our own.
 */
import { AreaSeries, createChart, type UTCTimestamp } from 'lightweight-charts';
import { useEffect, useRef } from 'react';
import { amount, moment } from '../format';
import type { EquityPoint } from '../wire';

interface EquityChartProps {
  readonly points: readonly EquityPoint[];
  readonly label: string;
}

const HEIGHT = 260;

export function EquityChart({ points, label }: EquityChartProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (place.current === null) return undefined;
    const chart = createChart(place.current, { height: HEIGHT, autoSize: true, ...coloursOf(place.current) });
    const colour = colourOf(place.current, '--accent');
    const series = chart.addSeries(AreaSeries, {
      lineColor: colour,
      topColor: 'transparent',
      bottomColor: 'transparent',
    });
    series.setData(dataOf(points));
    chart.timeScale().fitContent();
    return () => {
      chart.remove();
    };
  }, [points]);
  const [first, last] = [points[0], points.at(-1)];
  const words =
    first === undefined || last === undefined
      ? ''
      : `From ${amount(first.equity ?? '–', 2)} at ${moment(first.at)} to ${amount(last.equity ?? '–', 2)} at ${moment(last.at)}.`;
  return (
    <figure className="chart">
      <div ref={place} className="chart-place" role="img" aria-label={`${label}. ${words}`} />
      <figcaption className="quiet">
        {words} Charts by{' '}
        <a href="https://www.tradingview.com/" rel="noreferrer" target="_blank">
          TradingView Lightweight Charts
        </a>
      </figcaption>
    </figure>
  );
}

/** One point per second, the last of it; a curve on the screen, so digits beyond a number's do not matter. */
function dataOf(points: readonly EquityPoint[]) {
  const bySecond = new Map(points.map(({ at, equity }) => [Math.floor(Date.parse(at) / 1_000), Number(equity)]));
  return [...bySecond].toSorted(([a], [b]) => a - b).map(([time, value]) => ({ time: time as UTCTimestamp, value }));
}

function coloursOf(element: HTMLElement) {
  const line = colourOf(element, '--line');
  return {
    layout: {
      background: { color: 'transparent' },
      textColor: colourOf(element, '--quiet'),
      attributionLogo: false,
    },
    grid: { vertLines: { color: line }, horzLines: { color: line } },
    timeScale: { timeVisible: true, borderColor: line },
    rightPriceScale: { borderColor: line },
  };
}

function colourOf(element: HTMLElement, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

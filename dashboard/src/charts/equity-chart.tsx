/**
 * A curve over time. Its library is loaded with the first chart. It would draw its mark by a style sheet in the page, which the content
 * security policy forbids, so the attribution its licence asks for is a line of our own.
 */
import { AreaSeries, createChart, createSeriesMarkers, type UTCTimestamp } from 'lightweight-charts';
import { useLayoutEffect, useRef } from 'react';
import { amount, moment } from '../format';
import type { CurvePoint } from './curves';
import { marksOn, type Happened, type Mark } from './marks';

interface EquityChartProps {
  readonly points: readonly CurvePoint[];
  readonly label: string;
  /** What is marked on it. */
  readonly happened?: Happened;
}

const HEIGHT = 260;

export function EquityChart({ points, label, happened }: EquityChartProps) {
  const place = useRef<HTMLDivElement>(null);
  // Before the browser paints: a figure without its curve would be a frame of its own.
  useLayoutEffect(() => {
    if (place.current === null) return undefined;
    const chart = createChart(place.current, { height: HEIGHT, autoSize: true, ...coloursOf(place.current) });
    const colour = colourOf(place.current, '--accent');
    const series = chart.addSeries(AreaSeries, {
      lineColor: colour,
      topColor: 'transparent',
      bottomColor: 'transparent',
    });
    const data = dataOf(points);
    series.setData(data);
    const times = data.map(({ time }) => time);
    if (happened !== undefined) createSeriesMarkers(series, marksOn(times, happened).map(drawnIn(place.current)));
    chart.timeScale().fitContent();
    return () => {
      chart.remove();
    };
  }, [points, happened]);
  const [first, last] = [points[0], points.at(-1)];
  const words =
    first === undefined || last === undefined
      ? ''
      : `From ${amount(first.equity, 2)} at ${moment(first.at)} to ${amount(last.equity, 2)} at ${moment(last.at)}.`;
  return (
    <figure className="chart">
      <div ref={place} className="chart-place" role="img" aria-label={`${label}. ${words}`} />
      <figcaption className="quiet">
        {words}
        {happened === undefined ? '' : ' ▲ bought, ▼ sold, ■ halted.'} Charts by{' '}
        <a href="https://www.tradingview.com/" rel="noreferrer" target="_blank">
          TradingView Lightweight Charts
        </a>
      </figcaption>
    </figure>
  );
}

/** One point per second, the last of it; a curve on the screen, so digits beyond a number's do not matter. */
function dataOf(points: readonly CurvePoint[]) {
  const bySecond = new Map(points.map(({ at, equity }) => [Math.floor(Date.parse(at) / 1_000), Number(equity)]));
  return [...bySecond].toSorted(([a], [b]) => a - b).map(([time, value]) => ({ time: time as UTCTimestamp, value }));
}

const DRAWN = {
  bought: { position: 'belowBar', shape: 'arrowUp', colour: '--completed' },
  sold: { position: 'aboveBar', shape: 'arrowDown', colour: '--waiting' },
  halted: { position: 'aboveBar', shape: 'square', colour: '--danger' },
} as const;

/** Each kind has a shape of its own, so that colour is not all that tells them apart. */
function drawnIn(element: HTMLElement) {
  return ({ kind, time }: Mark) => {
    const { position, shape, colour } = DRAWN[kind];
    return { position, shape, color: colourOf(element, colour), time: time as UTCTimestamp };
  };
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

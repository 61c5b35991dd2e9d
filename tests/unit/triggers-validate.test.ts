import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cronProblem } from '../../src/graph/cron';
import { checkInputs } from '../../src/graph/inputs';
import { OVERLAPS } from '../../src/graph/overlap';
import { graphSchema } from '../../src/graph/schema';
import { createSuggest } from '../../src/graph/suggest';
import { isTimeZone, timeZoneNames } from '../../src/graph/time-zones';
import { checkShape } from '../../src/graph/validate-shape';
import { checkTriggerInputs, checkTriggers } from '../../src/graph/validate-triggers';
import { membersOf } from '../../src/graph/node-reading';

const minute = { type: 'schedule', every: '1m' };
const daily = { type: 'schedule', cron: '0 9 * * *' };
const wrongs = (triggers: Record<string, unknown>) =>
  checkTriggers(membersOf(triggers), createSuggest()).map(({ code, path, suggestion }) =>
    [code, path, suggestion].filter((part) => part !== undefined).join(' '),
  );
const messageOf = (trigger: unknown) => checkTriggers(membersOf({ t: trigger }), createSuggest())[0]?.message;
const graph = (extra: Record<string, unknown>) => ({ holdfast: 1, id: 'g', nodes: {}, ...extra });

describe('one trigger', () => {
  it.each<[string, Record<string, unknown>]>([
    ['an interval', minute],
    [
      'an interval with all it may have',
      { ...minute, offset: '10s', jitter: '500ms', overlap: 'buffer_all', paused: true },
    ],
    ['five fields', daily],
    ['five fields in a time zone', { ...daily, time_zone: 'Europe/Berlin', overlap: 'cancel_other' }],
    ['an older name of a time zone', { ...daily, time_zone: 'US/Pacific' }],
    ['UTC by name', { ...daily, time_zone: 'UTC' }],
  ])('may be %s', (_, trigger) => {
    expect(wrongs({ t: trigger })).toEqual([]);
    expect(checkShape(graph({ triggers: { t: trigger } }), createSuggest()).mistakes).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['neither interval nor cron', { type: 'schedule' }, '/triggers/t'],
    ['both', { ...minute, ...daily }, '/triggers/t'],
    ['an interval under a second', { ...minute, every: '200ms' }, '/triggers/t/every'],
    ['an interval with a part of a second', { ...minute, every: 1.5 }, '/triggers/t/every'],
    ['an offset with a part of a second', { ...minute, offset: '10500ms' }, '/triggers/t/offset'],
    ['an offset as long as the interval', { ...minute, offset: '1m' }, '/triggers/t/offset'],
    ['an offset to cron', { ...daily, offset: '10s' }, '/triggers/t/offset'],
    ['a time zone of an interval', { ...minute, time_zone: 'Europe/Berlin' }, '/triggers/t/time_zone'],
    ['a cron of four fields', { ...daily, cron: '0 9 * *' }, '/triggers/t/cron'],
    ['a misspelt cron word', { ...daily, cron: '@dayly' }, '/triggers/t/cron @daily'],
    ['a misspelt time zone', { ...daily, time_zone: 'Europe/Berln' }, '/triggers/t/time_zone Europe/Berlin'],
    ['a time zone in lower case', { ...daily, time_zone: 'europe/berlin' }, '/triggers/t/time_zone Europe/Berlin'],
    ['a time zone that is none', { ...daily, time_zone: '+02:00' }, '/triggers/t/time_zone'],
  ])('may not have %s', (_, trigger, place) => {
    expect(wrongs({ t: trigger })).toEqual([`bad_trigger ${place}`]);
  });

  it('of a misspelt overlap word is told the nearest', () => {
    const { mistakes } = checkShape(graph({ triggers: { t: { ...minute, overlap: 'bufer_one' } } }), createSuggest());
    expect(mistakes).toEqual([
      expect.objectContaining({ code: 'shape', path: '/triggers/t/overlap', suggestion: 'buffer_one' }),
    ]);
    expect(OVERLAPS).not.toContain('terminate_other');
  });

  it('gets its start inputs checked against the declared ones', () => {
    const declared = { size: { type: 'decimal' }, note: { type: 'text', default: 'none' } };
    const withInputs = (inputs?: Record<string, unknown>) =>
      checkTriggerInputs(
        graphSchema.parse(graph({ inputs: declared, triggers: { t: { ...minute, ...(inputs ? { inputs } : {}) } } })),
      ).map(({ code, path, suggestion }) => `${code} ${path} ${suggestion ?? ''}`.trim());
    expect(withInputs({ size: '1.5' })).toEqual([]);
    expect(withInputs()).toEqual(['bad_trigger /triggers/t']);
    expect(withInputs({ size: 1.5 })).toEqual(['bad_trigger /triggers/t/inputs/size']);
    expect(withInputs({ size: '1', nte: 'x' })).toEqual(['bad_trigger /triggers/t/inputs/nte note']);
  });
});

describe('the triggers of one graph', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['overlap', minute, { ...minute, overlap: 'allow_all' }],
    ['time_zone', daily, { ...daily, time_zone: 'Europe/Berlin' }],
    ['jitter', minute, { ...minute, jitter: '5s' }],
    ['inputs', { ...minute, inputs: { a: 1 } }, { ...minute, inputs: { a: 2 } }],
    ['paused', minute, { ...minute, paused: true }],
  ])('share one %s, and a mistake names both', (key, first, second) => {
    expect(wrongs({ first, second })).toEqual([`bad_trigger /triggers/second/${key}`]);
    const [mistake] = checkTriggers(membersOf({ first, second }), createSuggest());
    expect(mistake?.message).toMatch(/`first` and `second` differ in `\w+`/);
  });

  it('agree where one says the default and the other nothing, and an interval has no time zone to agree on', () => {
    const said = { ...daily, overlap: 'skip', time_zone: 'UTC', paused: false, inputs: {} };
    expect(wrongs({ a: daily, b: said, c: minute })).toEqual([]);
    expect(wrongs({ a: minute, b: { ...daily, time_zone: 'Asia/Tokyo' } })).toEqual([]);
    const [one, other] = [
      { ...minute, inputs: { a: 1, b: 2 } },
      { ...minute, inputs: { b: 2, a: 1 } },
    ];
    expect(wrongs({ one, other })).toEqual([]);
  });
});

describe('a cron expression', () => {
  it.each([
    '* * * * *',
    '*/5 9-17 * * MON-FRI',
    '0 12 1,15 jan,JULY,oct-dec *',
    '30 5/6 * * 7',
    '0 0 29 2 *',
    '0 0 31 * * 2027',
    '15 0 0 1 1 * 2027-2030/2',
    '  0   9 * * su ',
    '@hourly',
    '@midnight',
  ])('%j is taken', (text) => {
    expect(cronProblem(text)).toBeUndefined();
  });

  it.each<[string, RegExp]>([
    ['', /has 1 fields/],
    ['* * * *', /has 4 fields/],
    ['* * * * * * * *', /has 8 fields/],
    ['60 * * * *', /`60` as minute/],
    ['* 24 * * *', /`24` as hour/],
    ['* * 0 * *', /`0` as day of month/],
    ['* * * 13 *', /`13` as month/],
    ['* * * ju *', /`ju` as month/],
    ['* * * * 8', /`8` as day of week/],
    ['* * * * fri-sun', /`fri-sun` as day of week.*rising/],
    ['* * * * * 1999', /`1999` as year/],
    ['*/0 * * * *', /as minute/],
    ['1-2-3 * * * *', /as minute/],
    ['1/2/3 * * * *', /as minute/],
    ['5/ * * * *', /as minute/],
    ['1,,2 * * * *', /`` as minute/],
    ['*-5 * * * *', /as minute/],
    ['0 0 L * *', /`L` as day of month/],
    ['0 0 ? * *', /`\?` as day of month/],
    ['+5 * * * *', /as minute/],
    ['0 9 * * mon#1', /as day of week/],
    ['@every 5m', /`every`/],
    ['@reboot', /is not one of/],
    ['TZ=Europe/Berlin 0 9 * * *', /`time_zone`/],
    ['CRON_TZ=UTC 0 9 * * *', /`time_zone`/],
    ['0 0 30 2 *', /never comes/],
    ['0 0 31 feb,apr,6,9,11 *', /never comes/],
  ])('%j is refused, and the field named', (text, why) => {
    expect(cronProblem(text)).toMatch(why);
    expect(messageOf({ ...daily, cron: text })).toMatch(/^`cron` .*\.$/);
  });

  it('never makes the check throw, and a field of values in range is always taken', () => {
    fc.assert(fc.property(fc.string(), (text) => void cronProblem(text)));
    const field = (min: number, max: number) =>
      fc
        .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
        .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
    fc.assert(
      fc.property(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7), (...fields) => {
        expect(cronProblem(fields.join(' '))).toBeUndefined();
      }),
    );
  });
});

describe('time zones', () => {
  it('are all known that are suggested', () => {
    expect(timeZoneNames().filter((name) => !isTimeZone(name))).toEqual([]);
  });
});

describe('start inputs', () => {
  const declared = graphSchema.parse(
    graph({
      inputs: {
        size: { type: 'decimal' },
        count: { type: 'integer', default: 3 },
        note: { type: 'text', required: false },
      },
    }),
  );

  it('are completed with defaults; what is optional may be left out', () => {
    expect(checkInputs(declared, { size: '1.50' })).toEqual({ inputs: { size: '1.50', count: 3 }, mistakes: [] });
    expect(checkInputs(declared, { size: '1', count: 5, note: 'x' }).inputs).toEqual({
      size: '1',
      count: 5,
      note: 'x',
    });
    expect(checkInputs({}, {})).toEqual({ inputs: {}, mistakes: [] });
  });

  it('are refused with every mistake at once, in sentences', () => {
    const { mistakes } = checkInputs(declared, { siz: '1', count: 1.5, note: null });
    expect(mistakes).toEqual([
      { input: 'siz', message: 'The graph declares no input `siz`.', suggestion: 'size' },
      { input: 'size', message: 'The input `size` is missing; it is a decimal number in quotes, such as "12.50".' },
      { input: 'count', message: 'The input `count` must be a whole number.' },
      { input: 'note', message: 'The input `note` must be a text.' },
    ]);
    expect(checkInputs(declared, { size: 1 }).mistakes).toHaveLength(1);
    expect(
      checkInputs(declared, JSON.parse('{"size": "1", "__proto__": 1}') as Record<string, unknown>).mistakes,
    ).toHaveLength(1);
  });

  it.each([
    ['any', 0, null],
    ['text', '', 1],
    ['boolean', false, 'false'],
    ['integer', 3, 1.5],
    ['number', 1.5, '1.5'],
    ['decimal', '1.5', 1.5],
    ['decimals', ['1', '2.5'], ['1', 2]],
    ['duration', '5m', 'soon'],
    ['object', { a: 1 }, []],
    ['list', [], {}],
  ] as const)('of type %s take %j and not %j', (type, good, bad) => {
    const of = graphSchema.parse(graph({ inputs: { x: { type } } }));
    expect(checkInputs(of, { x: good }).mistakes).toEqual([]);
    expect(checkInputs(of, { x: bad }).mistakes).toHaveLength(1);
  });
});

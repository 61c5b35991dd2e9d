import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/config';

const servedBy = (given: string) => [...loadConfig({ HOLDFAST_WORKER_SERVES: given }).worker.serves];

describe('HOLDFAST_WORKER_SERVES', () => {
  it.each([
    ['graphs', ['graphs']],
    ['desk', ['desk']],
    ['desk, graphs', ['desk', 'graphs']],
    ['desk,desk', ['desk']],
  ])('%j is taken', (given, serves) => {
    expect(servedBy(given)).toEqual(serves);
  });

  it('is both where it is not given, or is empty', () => {
    expect([...loadConfig({}).worker.serves]).toEqual(['graphs', 'desk']);
    expect(servedBy('')).toEqual(['graphs', 'desk']);
  });

  it.each(['desks', 'graphs,venue', 'graphs,', ',', 'Desk', 'graphs desk'])(
    '%j is refused in one sentence that names what may be given',
    (given) => {
      const [head, ...mistakes] = refusalOf(given).split('\n');
      expect(head).toBe('The environment is not usable:');
      expect(mistakes).toEqual(['  HOLDFAST_WORKER_SERVES: must be graphs, desk or graphs,desk']);
    },
  );
});

function refusalOf(given: string): string {
  try {
    servedBy(given);
  } catch (error) {
    return (error as Error).message;
  }
  return 'it was taken';
}

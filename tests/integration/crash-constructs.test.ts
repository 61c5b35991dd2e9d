import { describe, expect, it } from '@jest/globals';
import { crashCampaign } from '../support/crash-campaign';

describe('workers killed with -9 while graphs with every construct run', () => {
  it('cost no effect and give none a second key, also where an execution just goes on in a new run', async () => {
    const lines: string[] = [];
    const report = await crashCampaign({ kills: 3, seed: 4, say: (line) => void lines.push(line) });
    expect({ ...report, told: lines }).toMatchObject({ kills: 3, wrong: [] });
    expect(report.executions).toBeGreaterThan(3);
  }, 300_000);
});

import { describe, expect, it } from '@jest/globals';
import { haltCampaign } from '../support/halt-campaign';

describe('halts at random moments while executions order without pause', () => {
  it('let no order in after the seal, and grant no permit before the resume', async () => {
    const lines: string[] = [];
    const say = (line: string) => void lines.push(line);
    const report = await haltCampaign({ halts: 8, executions: 10, workers: 2, seed: 1, closes: true, say });
    expect({ ...report, told: lines }).toMatchObject({ halts: 8, wrong: [] });
    expect(report.orders).toBeGreaterThan(8);
  });

  it('do so without Redis too, by permits that end', async () => {
    const lines: string[] = [];
    const say = (line: string) => void lines.push(line);
    const report = await haltCampaign({ halts: 4, executions: 10, workers: 2, seed: 2, closes: false, say });
    expect({ ...report, told: lines }).toMatchObject({ halts: 4, wrong: [] });
  });
});

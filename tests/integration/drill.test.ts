import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { kindCatalogue } from '../../src/activities/kinds';
import { drill, type DrillReport } from '../../src/temporal-client/drill';
import { startTestWorker, type TestWorker } from '../support/test-worker';

describe('a drill', () => {
  let worker: TestWorker;
  let report: DrillReport;
  const said: string[] = [];

  beforeAll(async () => {
    worker = await startTestWorker();
    report = await drill(worker.client, { actor: 'ann', kinds: kindCatalogue, say: (line) => void said.push(line) });
  });
  afterAll(() => worker.stop());

  it('ends with a halt by the limit, no order after the first refusal, and a resume', () => {
    expect({ report, said }).toMatchObject({
      report: {
        limit: '500',
        loss: '550',
        refused_with: 'EmergencyHalted',
        early_resume: 'LimitBreached',
        orders: { after_refusal: 0 },
        resumed: true,
        execution_went_on: true,
        passed: true,
      },
    });
    expect(report.orders.before).toBeGreaterThanOrEqual(5);
  });

  it('measures each step after the one it needs', () => {
    const { desk_answered_ms, first_refusal_ms, sealed_ms, execution_halted_ms } = report;
    expect(Math.min(desk_answered_ms, first_refusal_ms)).toBeGreaterThanOrEqual(0);
    expect(execution_halted_ms).toBeGreaterThanOrEqual(sealed_ms);
  });

  it('leaves no desk behind, and can close no other', async () => {
    const refusal: unknown = await worker.client.deskStatus(report.desk).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'EmergencyUnreachable' });
    await expect(worker.client.closeDrillDesk(worker.desk)).rejects.toMatchObject({ code: 'BadRequest' });
    expect(await worker.client.deskStatus(worker.desk)).toMatchObject({ state: 'normal' });
  });
});

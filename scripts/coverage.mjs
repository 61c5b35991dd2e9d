/** The coverage gate: enough lines everywhere, nearly every branch where decisions are pure. */
import { join, relative } from 'node:path';
import { StepFailed, readIfThere, root } from './steps.mjs';

const LINES_PERCENT = 90;
const BRANCHES_PERCENT = 98;
const PURE = [/^src\/(graph|emergency|events)\//, /^src\/(errors|money)\.ts$/];
const UNGATED = [/\/main\.ts$/];

/** Throws a list of what is below the gate. */
export async function checkCoverage() {
  const text = readIfThere(join(root, 'coverage/coverage-summary.json'));
  if (text === undefined) throw new StepFailed('coverage/coverage-summary.json was not written');
  const files = Object.entries(JSON.parse(text))
    .map(([file, summary]) => ({ name: relative(root, file).replaceAll('\\', '/'), summary }))
    .filter(({ name }) => name.startsWith('src/') && !UNGATED.some((pattern) => pattern.test(name)));
  const pure = files.filter(({ name }) => PURE.some((pattern) => pattern.test(name)));
  const mistakes = [
    ...below(files, 'lines', LINES_PERCENT, 'src'),
    ...below(pure, 'branches', BRANCHES_PERCENT, 'the pure rooms'),
  ];
  if (mistakes.length > 0) throw new StepFailed(mistakes.join('\n'));
}

/** One line for the sum and one for each file that pulls it down, the worst first. */
function below(files, what, percent, where) {
  const total = files.reduce((sum, { summary }) => sum + summary[what].total, 0);
  const covered = files.reduce((sum, { summary }) => sum + summary[what].covered, 0);
  const reached = total === 0 ? 0 : (100 * covered) / total;
  console.log(`  ${where}: ${what} ${reached.toFixed(1)} % of ${percent} %`);
  if (reached >= percent) return [];
  const missing = ({ summary }) => summary[what].total - summary[what].covered;
  const worst = files.filter((file) => missing(file) > 0).sort((a, b) => missing(b) - missing(a));
  return [
    `${what} of ${where}: ${reached.toFixed(1)} %, below ${percent} %`,
    ...worst
      .slice(0, 15)
      .map((file) => `  ${file.name}: ${missing(file)} of ${file.summary[what].total} ${what} missing`),
  ];
}

/**
 * ESLint with the project's own configuration, for tests: Jest cannot load the ES module the configuration is. Reads `{files, texts}` from
 * stdin and prints what the rules against numbers say of each text, by line, and which files they are not for.
 */
import { text as contentOf } from 'node:stream/consumers';
import { ESLint } from 'eslint';

const RULES = ['no-restricted-syntax', '@typescript-eslint/no-unsafe-unary-minus'];

const { files, texts } = JSON.parse(await contentOf(process.stdin));
const eslint = new ESLint();

const exempt = [];
for (const file of files) {
  const { rules } = await eslint.calculateConfigForFile(file);
  if (!rules['no-restricted-syntax'].some(({ selector = '' }) => selector.includes('Identifier[name="Number"]')))
    exempt.push(file);
}
const reported = [];
for (const { file, text } of texts) {
  const [{ messages }] = await eslint.lintText(text, { filePath: file });
  const wrong = messages.filter(({ fatal }) => fatal === true);
  if (wrong.length > 0) throw new Error(wrong.map(({ message }) => message).join('\n'));
  reported.push(
    messages.filter(({ ruleId }) => RULES.includes(ruleId)).map(({ line, message }) => ({ line, message })),
  );
}
process.stdout.write(JSON.stringify({ exempt, reported }));

import { builtinModules } from 'node:module';
import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const SANDBOX = [
  'src/workflows/**/*.ts',
  'src/graph/**/*.ts',
  'src/emergency/**/*.ts',
  'src/events/**/*.ts',
  'src/error-catalogue.ts',
  'src/errors.ts',
  'src/json.ts',
  'src/money.ts',
  'src/whole-number.ts',
];
/** What never sees an amount; everywhere else in `src` text and decimals do not become numbers. */
const NO_AMOUNTS = [
  'src/config/**',
  'src/graph/**',
  'src/local-stack/**',
  'src/whole-number.ts',
  // Indicators are floating point by nature, and say so.
  'src/activities/kinds/indicators.ts',
];
const USUAL_SYNTAX = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  { selector: 'TSEnumDeclaration', message: 'String unions, no enums.' },
];
const WAY_OUT =
  'money never becomes a number: compute with decimal() of src/money.ts, read whole numbers with wholeNumber() of src/whole-number.ts.';
/** The ways from text or a decimal to a number; a minus before either is reported by `no-unsafe-unary-minus`, other arithmetic by tsc. */
const TO_NUMBER = [
  {
    selector: ':not(MemberExpression[object.name="Number"]) > Identifier[name="Number"]',
    message: `Number(…): ${WAY_OUT}`,
  },
  {
    selector: 'MemberExpression[object.name="Number"]:not([property.name=/^(is[A-Z]|M[AI][XN]_|NaN$|EPSILON$)/])',
    message: `Number.…(): ${WAY_OUT}`,
  },
  { selector: 'Identifier[name=/^parse(Float|Int)$/]', message: `parseFloat, parseInt: ${WAY_OUT}` },
  { selector: 'Identifier[name="toNumber"]', message: `toNumber(): ${WAY_OUT}` },
  { selector: 'Literal[value=/^(parseFloat|parseInt|toNumber)$/]', message: `By its name: ${WAY_OUT}` },
  { selector: 'UnaryExpression[operator=/^[+~]$/]', message: `A plus or ~ before a value: ${WAY_OUT}` },
];
const sandboxGlobals = [
  'process',
  'fetch',
  'Buffer',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'crypto',
  'performance',
  'queueMicrotask',
  'require',
];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', '.holdfast/', 'mine/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      'no-restricted-syntax': ['error', ...USUAL_SYNTAX],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 10],
      'max-params': ['error', 4],
      'max-depth': ['error', 3],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'The environment is read in src/config alone.' },
      ],
      'no-restricted-imports': [
        'error',
        ...['process', 'node:process'].map((name) => ({
          name,
          importNames: ['env', 'default'],
          message: 'The environment is read in src/config alone.',
        })),
      ],
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: NO_AMOUNTS,
    // A later block replaces the selectors of an earlier one.
    rules: { 'no-restricted-syntax': ['error', ...USUAL_SYNTAX, ...TO_NUMBER] },
  },
  {
    files: ['dashboard/**/*.ts', 'dashboard/**/*.tsx'],
    plugins: { 'react-hooks': reactHooks },
    rules: { 'react-hooks/rules-of-hooks': 'error', 'react-hooks/exhaustive-deps': 'error' },
  },
  { files: ['src/cli/**/*.ts'], rules: { 'no-console': 'off' } },
  // A table without logic; it grows by a row per error.
  { files: ['src/error-catalogue.ts'], rules: { 'max-lines': 'off' } },
  {
    files: SANDBOX,
    rules: {
      'no-restricted-globals': ['error', ...sandboxGlobals],
      'no-restricted-imports': [
        'error',
        {
          paths: builtinModules.map((name) => ({ name, message: 'Sandbox code uses no Node built-in.' })),
          patterns: [{ group: ['node:*'], message: 'Sandbox code uses no Node built-in.' }],
        },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness is an argument.' },
        { object: 'process', property: 'env', message: 'The environment is read in src/config alone.' },
      ],
    },
  },
  {
    files: ['tests/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        module: 'writable',
        setTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        require: 'readonly',
      },
    },
  },
);

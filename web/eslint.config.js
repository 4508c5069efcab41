import { readdirSync } from 'node:fs'
import js from '@eslint/js'
import reactHooks from 'eslint-plugin-react-hooks'
import globals from 'globals'
import tseslint from 'typescript-eslint'

// Imports go one way: lib, i18n, ui <- api <- features <- app; features never import each other.
const layers = [
  { folder: 'lib', forbidden: ['i18n', 'ui', 'api', 'features', 'app', 'testing'] },
  { folder: 'i18n', forbidden: ['ui', 'api', 'features', 'app', 'testing'] },
  { folder: 'ui', forbidden: ['api', 'features', 'app', 'testing'] },
  { folder: 'api', forbidden: ['i18n', 'ui', 'features', 'app', 'testing'] },
  { folder: 'features', forbidden: ['app', 'testing'] },
  { folder: 'app', forbidden: ['testing'] },
]

const outOfFolder = {
  group: ['../../**'],
  message: 'Reach other folders through "@/".',
}

function forbid(files, folders, ignores) {
  return {
    files,
    ignores,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...(folders.length ? [{ group: folders.flatMap((f) => [`@/${f}`, `@/${f}/**`]), message: 'This layer must not know that one.' }] : []),
            outOfFolder,
          ],
        },
      ],
    },
  }
}

const features = readdirSync(new URL('src/features', import.meta.url))
const tests = ['src/**/*.test.ts', 'src/**/*.test.tsx']

export default tseslint.config(
  { ignores: ['dist', 'coverage', 'test-results', 'playwright-report', 'e2e/screenshots', 'src/api/schema.gen.ts'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    languageOptions: { globals: { ...globals.browser } },
    plugins: { 'react-hooks': reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      'no-console': 'error',
      eqeqeq: 'error',
      'max-lines': ['error', { max: 500 }],
      'max-depth': ['error', 4],
      'max-params': ['error', 5],
    },
  },
  { files: ['**/*.mjs', 'mock/**', 'e2e/**', '*.ts', '*.js'], languageOptions: { globals: globals.node }, rules: { 'no-console': 'off' } },
  // Playwright reads from the pattern which fixtures are wanted.
  { files: ['e2e/**'], rules: { 'no-empty-pattern': 'off' } },
  ...layers.filter((layer) => layer.folder !== 'features').map(({ folder, forbidden }) => forbid([`src/${folder}/**`], forbidden, tests)),
  ...features.map((feature) =>
    forbid([`src/features/${feature}/**`], ['app', 'testing', ...features.filter((f) => f !== feature).map((f) => `features/${f}`)], tests),
  ),
)

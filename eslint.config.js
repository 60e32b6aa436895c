import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['**/dist/**', '**/data/**', '.tap/**', 'embedded/conformance/**'] }),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { project: ['./tsconfig.json', './embedded/tsconfig.json'], tsconfigRootDir: import.meta.dirname } },
    rules: {
      // a schema and its type share one name
      '@typescript-eslint/no-redeclare': 'off',
      'no-redeclare': 'off',
      // a subtest of tap is awaited by its parent
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafePromises: [{ from: 'package', name: ['PromiseWithSubtest'], package: '@tapjs/core' }] }],
      '@typescript-eslint/no-explicit-any': 'error',
      'max-len': ['error', { code: 160, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }]
    }
  }
]

import committed from '../src/api/schema.ts?raw';
import { expect, test } from 'vitest';
import { schemaTypes } from '../tools/schema_types.mjs';

test('the types are those that docs/schema gives; else run: npm run schema', () => {
  expect(committed).toBe(schemaTypes());
});

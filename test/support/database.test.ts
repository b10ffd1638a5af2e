import { expect, test } from 'vitest';
import { leaseDatabase } from './database.js';

test('a database test that is not named as one gets no database', async () => {
  await expect(leaseDatabase()).rejects.toThrow('*.db.test.ts');
});

import { expect, test } from 'vitest';
import { leaseDatabase } from '../support/database.js';
import { platformApp, SEALING_KEY } from './app.js';

const OTHER = Buffer.alloc(32, 2).toString('base64url');
const withKey = (key: string) => ({ env: { COVEY_SEALING_KEY: key } });

test('a start with another sealing key than that of the database is refused', async () => {
  await using lease = await leaseDatabase();
  await (await platformApp(lease)).app.close();
  await expect(platformApp(lease, withKey(OTHER))).rejects.toMatchObject({ code: 'vault.sealed-otherwise' });
});

test('a rotation goes through a start with both keys, after which the old one is not needed for this', async () => {
  await using lease = await leaseDatabase();
  await (await platformApp(lease)).app.close();
  await (await platformApp(lease, withKey(`${OTHER},${SEALING_KEY}`))).app.close();
  await (await platformApp(lease, withKey(OTHER))).app.close();
  await expect(platformApp(lease)).rejects.toMatchObject({ code: 'vault.sealed-otherwise' });
});

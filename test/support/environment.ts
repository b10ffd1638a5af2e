import type { Host } from '../../src/kernel/address.js';
import { TestDice } from './dice.js';

export type Environment = Readonly<Record<string, string>>;

/** A story's epochs are those of its people; stories about updates and takeovers say when. */
const NEVER_OF_ITSELF: Environment = {
  COVEY_UPDATE_INTERVAL: '315359998',
  COVEY_UPDATE_DEADLINE: '315359999',
  COVEY_TAKEOVER_TIME: '315360000',
};

export const apiKeyOf = (host: Host): string => `key-of-${host}`.replaceAll(/[^a-z0-9-]/g, '-').padEnd(40, 'x');

/** What a server is configured with. */
export const variablesOf = (host: Host, folder: string, database: string, more: Environment): Environment => ({
  COVEY_DOMAIN: host,
  COVEY_DATA: folder,
  DATABASE_URL: database,
  COVEY_SEALING_KEY: Buffer.from(new TestDice(`${host}/sealing`).bytes(32)).toString('base64url'),
  COVEY_API_KEY: apiKeyOf(host),
  ...NEVER_OF_ITSELF,
  COVEY_LOG_LEVEL: process.env['COVEY_LOG_LEVEL'] ?? 'silent',
  ...more,
});

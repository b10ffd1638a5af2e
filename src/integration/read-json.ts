import type { Network } from '../kernel/network.js';
import { parseJson } from '../platform/json.js';
import type { ReadJson } from './issuer-keys.js';

const TIMEOUT_MS = 10_000;
const LARGEST = 1_000_000;

/** Reads what paired servers publish, bounded as `IssuerKeys` needs it, over a network that guards where it connects to. */
export const readJsonOver =
  (network: Network): ReadJson =>
  async (url) => {
    const headers = { accept: 'application/json' };
    const answer = await network.fetch({ method: 'GET', url, headers, timeoutMs: TIMEOUT_MS, maxBytes: LARGEST });
    if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
    return parseJson(answer.body);
  };

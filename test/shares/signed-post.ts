import { host } from '../../src/kernel/address.js';
import { fromUtf8, utf8 } from '../../src/kernel/bytes.js';
import type { HttpAnswer } from '../../src/kernel/network.js';
import { signRequest } from '../../src/ocm/message-signing.js';
import { ServerKeysService } from '../../src/ocm/server-keys.service.js';
import type { World } from '../support/world.js';

export interface Post {
  readonly from: string;
  readonly to: string;
  /** Below `/ocm`. */
  readonly path: string;
  readonly body: string | object;
  readonly type?: string;
  /** Left out when false. */
  readonly signed?: boolean;
}

/** A request as a server could make it that does not use our client. Two like ones of one second are a replay. */
export async function post(world: World, { from, to, path, body, type, signed = true }: Post) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const url = `https://${to}/ocm${path}`;
  const own = { 'content-type': type ?? 'application/json' };
  const key = world.server(from).get(ServerKeysService).http;
  const added = signed
    ? signRequest({ method: 'POST', targetUri: url, fields: own }, utf8(text), key, world.clock.now())
    : {};
  const network = world.network.networkOf(host(from), () => true);
  const headers = { ...own, ...added };
  return readable(
    await network.fetch({ method: 'POST', url, headers, body: utf8(text), timeoutMs: 1000, maxBytes: 1_000_000 }),
  );
}

export const readable = ({ status, headers, body }: HttpAnswer) => ({
  status,
  headers,
  body: body.length === 0 ? undefined : (JSON.parse(fromUtf8(body)) as Record<string, unknown>),
});

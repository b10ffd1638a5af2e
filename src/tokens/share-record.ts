import { z } from 'zod';
import type { Host } from '../kernel/address.js';
import { fromUtf8 } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';

/**
 * What one protocol server is told of one share for one member server. `due`: it has to be told, anew perhaps; `stored`:
 * it acknowledged that; `revoking`: it has to forget it. OCM-IP, Integration API
 */
export interface ShareRecord {
  readonly providerId: string;
  /** The name of its pairing. */
  readonly protocolServer: string;
  readonly integrationApi: string;
  readonly shareId: string;
  /** The member server whose tokens it will be shown. */
  readonly recipient: Host;
  /** The Share Creation Notification that is meant for that server. */
  readonly notice: NoticeWithoutSecret;
  /** Grows with each change, so that an answer counts for what it answers. */
  readonly version: number;
  readonly state: 'due' | 'stored' | 'revoking';
  readonly tries: number;
  /** The URI under which it serves the resource, when it named one. */
  readonly allocated?: string;
}

/** I-018: whatever else it says, it holds no `sharedSecret`. */
export interface NoticeWithoutSecret {
  readonly sender: string;
  readonly providerId: string;
  readonly protocol: { readonly webdav: { readonly permissions: readonly string[] } };
}

/** Whatever else stands there is not read, a secret and permissions above all. I-021, I-022, I-023 */
const answer = z.object({
  protocol: z.object({ webdav: z.object({ uri: z.string().min(1).max(2048).optional() }).optional() }).optional(),
});

/**
 * The URI that a protocol server allocated for a share, when it says one. Throws `provisioning.answer-malformed` for what is
 * no JSON object, or a URI that is none.
 */
export function allocatedUri(body: Uint8Array): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(fromUtf8(body));
  } catch (cause) {
    throw new Fault('provisioning.answer-malformed', { what: 'JSON' }, cause);
  }
  const read = answer.safeParse(json);
  if (!read.success) throw new Fault('provisioning.answer-malformed', { at: read.error.issues[0]?.path.join('.') });
  return read.data.protocol?.webdav?.uri;
}

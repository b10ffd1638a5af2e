import { z } from 'zod';
import type { Host } from '../kernel/address.js';
import { fromUtf8 } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { withoutSecrets } from '../ocm/share-protocol.js';

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
  /** Whether it issues the tokens of the share: the secret is its own then. */
  readonly issues: boolean;
  /** The URI under which it serves the resource, when it named one. */
  readonly allocated?: string;
}

/** I-018: whatever else it says, it holds no `sharedSecret`. */
export interface NoticeWithoutSecret {
  readonly sender: string;
  readonly providerId: string;
  readonly protocol: { readonly webdav: { readonly permissions: readonly string[] } };
}

/** What a protocol server says of a share that it stores. */
export interface Allocated {
  /** Under which it serves the resource. */
  readonly uri?: string;
  /** That it minted, as the Token Server of this server. */
  readonly sharedSecret?: string;
}

const field = z.string().min(1);
/** Whatever else stands there is not read, permissions above all. I-021, I-023 */
const answer = z.object({
  protocol: z
    .object({
      webdav: z.object({ uri: field.max(2048).optional(), sharedSecret: field.max(512).optional() }).optional(),
    })
    .optional(),
});

/**
 * What a protocol server allocated for a share. A secret is taken of the one that issues tokens alone, and ignored of any
 * other (I-022). Throws `provisioning.answer-malformed` for what is no JSON object, for a URI that is none, and for a Token
 * Server that names no secret.
 */
export function allocatedBy(body: Uint8Array, issues: boolean): Allocated {
  let json: unknown;
  try {
    json = JSON.parse(fromUtf8(body));
  } catch (cause) {
    throw new Fault('provisioning.answer-malformed', { what: 'JSON' }, cause);
  }
  const read = answer.safeParse(issues ? json : withoutSecrets(json));
  if (!read.success) throw new Fault('provisioning.answer-malformed', { at: read.error.issues[0]?.path.join('.') });
  const { uri, sharedSecret } = read.data.protocol?.webdav ?? {};
  if (issues && sharedSecret === undefined) throw new Fault('provisioning.answer-malformed', { at: 'sharedSecret' });
  return { ...(uri === undefined ? {} : { uri }), ...(sharedSecret === undefined ? {} : { sharedSecret }) };
}

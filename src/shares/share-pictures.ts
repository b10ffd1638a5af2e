import type { z } from 'zod';
import { toBase64url, wipe } from '../kernel/bytes.js';
import type { MlsEncryption } from '../ocm/share-encryption.js';
import type { ReceivedShare } from './received-share.js';
import type { Share } from './share.js';
import type { fileKeyAnswer, receivedShareAnswer, shareAnswer } from './share-bodies.js';
import type { OpenedKey } from './wrapped-key.js';
import type { ShareServer } from './share-server.js';

/** A share as the file platform sees it: at which servers, and how far it came there. */
export function showShare(share: Share, servers: readonly ShareServer[]): z.input<typeof shareAnswer> {
  const { shareId, group, sender, owner, resource, createdAt, expiration, state } = share;
  const ended = share.state === 'ended' ? share : undefined;
  return {
    id: shareId,
    group,
    sender,
    owner,
    resource: { ...resource, permissions: [...resource.permissions] },
    encryption: showEncryption(share.encryption),
    protocolServers: share.protocolServers ? [...share.protocolServers] : null,
    createdAt: createdAt.toISOString(),
    expiration: expiration?.toISOString() ?? null,
    state,
    endedAt: ended?.endedAt.toISOString() ?? null,
    reason: ended?.reason ?? null,
    servers: servers.map((row) => ({
      server: row.server,
      state: row.state,
      since: row.since.toISOString(),
      providerId: ('providerId' in row ? row.providerId : undefined) ?? null,
      why: ('why' in row ? row.why : undefined) ?? null,
    })),
  };
}

/** With the key in the clear, in base64url: for the file platform, and nobody else. */
export function showFileKey({ encryption, key }: OpenedKey): z.input<typeof fileKeyAnswer> {
  const answer = { encryption: showEncryption(encryption)!, fileKey: toBase64url(key.bytes) };
  wipe(key.bytes);
  return answer;
}

export const showEncryption = (encryption: MlsEncryption | undefined) =>
  encryption ? { ...encryption, format: encryption.format ?? null } : null;

/** What a user can open. The secret has no place in it. */
export function showReceivedShare(share: ReceivedShare): z.input<typeof receivedShareAnswer> {
  const { id, group, sender, owner, from, providerId, resource, receivedAt, expiration } = share;
  const { type, name, description, uri, permissions, requirements, size } = resource;
  return {
    id,
    group,
    sender,
    owner,
    server: from,
    providerId,
    type,
    name,
    description: description ?? null,
    protocol: {
      webdav: { uri, permissions: [...permissions], requirements: [...requirements], size: size ?? null },
    },
    encryption: showEncryption(share.encryption),
    receivedAt: receivedAt.toISOString(),
    expiration: expiration?.toISOString() ?? null,
  };
}

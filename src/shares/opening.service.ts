import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { hostOf, type OcmAddress } from '../kernel/address.js';
import { fromUtf8 } from '../kernel/bytes.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { HttpAnswer } from '../kernel/network.js';
import { isFollowed } from '../groups/group.js';
import { GroupRepository } from '../groups/group.repository.js';
import { MemberRepository } from '../groups/member.repository.js';
import { type Discovery, exchangesTokens } from '../ocm/discovery.js';
import { PeerClient } from '../ocm/peer.client.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { TokensService } from '../tokens/tokens.service.js';
import type { ReceivedShare } from './received-share.js';
import { ReceivedShareRepository } from './received-share.repository.js';
import { ownWebdavRoot, resourceUrl, webdavRoot } from './webdav-root.js';

/** What opens a shared resource at `uri`. */
export interface Opening {
  readonly accessToken: string;
  /** Absent for a share of the old kind, whose secret is the credential for as long as it lives. */
  readonly expiresIn?: number;
  readonly uri: string;
}

const tokenAnswer = z.object({
  access_token: z.string().min(1).max(16_384),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().int().positive().optional(),
});
const oauthError = z.object({ error: z.string().regex(/^[a-z_]{1,50}$/) });

/** What users of this server can open, as their groups are at the moment they ask. */
@Injectable()
export class OpeningService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly received: ReceivedShareRepository,
    private readonly tokens: TokensService,
    private readonly peers: PeerClient,
    private readonly log: Log,
  ) {}

  /**
   * Resolved anew on every question (OCM-MLS ): the shares with groups in which the user has a leaf now, from
   * senders who have one now. Throws `client.foreign`.
   */
  async visibleTo(user: OcmAddress): Promise<ReceivedShare[]> {
    if (hostOf(user) !== this.config.domain) throw new Fault('client.foreign', { address: user });
    return this.db.run(async (tx) => {
      const groups = new Map<OcmAddress, MlsGroupId>();
      for (const mlsGroupId of await this.members.groupsOf(tx, user)) {
        const group = await this.groups.byId(tx, mlsGroupId);
        if (group && isFollowed(group)) groups.set(group.address, mlsGroupId);
      }
      const present = new Map<string, boolean>();
      const visible: ReceivedShare[] = [];
      for (const share of await this.received.live(tx, [...groups.keys()], this.clock.now())) {
        const { group, sender } = share;
        const key = `${group} ${sender}`;
        const here = present.get(key) ?? (await this.members.isMember(tx, groups.get(group)!, sender));
        present.set(key, here);
        if (here) visible.push(share);
      }
      return visible;
    });
  }

  /**
   * A credential for one received share, bound to `member` when given. Throws `share.unknown`, `share.not-recipient`,
   * `share.token-refused`, `share.token-endpoint`, and the faults of the network.
   */
  async open(id: string, member?: OcmAddress): Promise<Opening> {
    const { share, secret } = await this.db.run(async (tx) => {
      const found = await this.authorized(tx, id, member);
      return { share: found, secret: (await this.received.secret(tx, id))! };
    });
    const { from, resource } = share;
    if (from === this.config.domain) {
      const form = { clientId: from, code: secret, ...(member ? { member } : {}) };
      const { access_token: accessToken, expires_in: expiresIn } = await this.tokens.exchange(from, form);
      return { accessToken, expiresIn, uri: resourceUrl(resource.uri, ownWebdavRoot(this.config.publicUrl, from)) };
    }
    const discovery = await this.peers.discovery(from);
    const uri = resourceUrl(resource.uri, webdavRoot(from, discovery, resource.type));
    const required = resource.requirements.includes('must-exchange-token');
    try {
      return { ...(await this.exchange(share, discovery, secret, member)), uri };
    } catch (error) {
      // OCM core, Code Flow, decision table: without the requirement the secret itself is the credential.
      if (required || member) throw error;
      this.log.info({ event: 'share.opened-by-secret', peer: from, share: id, err: error }, 'no token for this share');
      return { accessToken: secret, uri };
    }
  }

  private async exchange(
    { from, providerId, group }: ReceivedShare,
    discovery: Discovery,
    code: string,
    member: OcmAddress | undefined,
  ): Promise<Omit<Opening, 'uri'>> {
    const { tokenEndPoint } = discovery;
    if (!exchangesTokens(discovery) || tokenEndPoint === undefined)
      throw new Fault('share.token-endpoint', { peer: from });
    const form = {
      grant_type: 'authorization_code',
      client_id: this.config.domain,
      code,
      ...(member === undefined ? {} : { member }),
    };
    const answer = await this.peers.postForm(from, tokenEndPoint, form);
    const token = answer.status === 200 ? tokenAnswer.safeParse(json(answer)) : undefined;
    if (token?.success !== true) {
      const { error } = oauthError.safeParse(json(answer)).data ?? {};
      throw new Fault('share.token-refused', { peer: from, group, providerId, answered: answer.status, error });
    }
    const { access_token: accessToken, expires_in: expiresIn } = token.data;
    return { accessToken, ...(expiresIn === undefined ? {} : { expiresIn }) };
  }

  /** A share that `member`, or any user of this server, may open now. Throws `share.unknown`, `share.not-recipient`. */
  async authorized(tx: Tx, id: string, member: OcmAddress | undefined): Promise<ReceivedShare> {
    const share = await this.received.byId(tx, id);
    const over = share?.endedAt ?? (share?.expiration && share.expiration <= this.clock.now());
    if (!share || over) throw new Fault('share.unknown', { share: id });
    const recipients = await this.recipients(tx, share);
    const may = member === undefined ? recipients.length > 0 : recipients.includes(member);
    if (!may) throw new Fault('share.not-recipient', { share: id, group: share.group });
    return share;
  }

  /** The users of this server who have the share now. */
  private async recipients(tx: Tx, { group: address, sender }: ReceivedShare): Promise<OcmAddress[]> {
    const group = await this.groups.byAddress(tx, address);
    if (!group || !isFollowed(group) || !(await this.members.isMember(tx, group.mlsGroupId, sender))) return [];
    return this.members.ofServer(tx, group.mlsGroupId, this.config.domain);
  }
}

/** JSON, or nothing. */
function json({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(fromUtf8(body));
  } catch {
    return undefined;
  }
}

import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { isFault } from '../kernel/fault.js';
import { PeerClient } from '../ocm/peer.client.js';
import { Config } from '../platform/config.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { ProvisioningService } from '../tokens/provisioning.service.js';
import { AnnouncingService } from './announcing.service.js';
import type { OpenShare } from './share.js';
import { type Sending, shareTerms, type Terms } from './share-terms.js';
import { ownWebdavRoot } from './webdav-root.js';

export type Judgement =
  | Terms
  /** The member server could not be asked what it takes. */
  | { readonly kind: 'postpone'; readonly why: string }
  /** A protocol server did not store the share. */
  | { readonly kind: 'not-provisioned'; readonly why: string };

/** What has to be asked and told before a share is announced to a member server. Not within a transaction. */
@Injectable()
export class PreparingService {
  constructor(
    private readonly config: Config,
    private readonly db: TransactionService,
    private readonly peers: PeerClient,
    private readonly announcing: AnnouncingService,
    private readonly provisioning: ProvisioningService,
  ) {}

  /**
   * Asks the server what it takes, and has the protocol servers of the share store it for that server: all of them, before
   * the notice goes out (I-017). What they allocate counts, permissions never do (I-021, I-023).
   */
  async prepare(server: Host, share: OpenShare): Promise<Judgement> {
    const terms = await this.termsOf(server, share);
    return share.protocolServers && terms.kind === 'send' ? this.provide(server, share, terms) : terms;
  }

  /** Right before it is announced: whether what protocol servers stored for it is to be forgotten by now. */
  async judgeAgain(tx: Tx, judgement: Judgement): Promise<Judgement> {
    if (judgement.kind !== 'send' || judgement.provisionedAs === undefined) return judgement;
    const ready = await this.provisioning.isReady(tx, judgement.provisionedAs);
    return ready ? judgement : { kind: 'not-provisioned', why: 'provisioning.revoked' };
  }

  private async termsOf(server: Host, share: OpenShare): Promise<Judgement> {
    const root = ownWebdavRoot(this.config.publicUrl, this.config.domain);
    if (server === this.config.domain) {
      return { kind: 'send', uri: share.resource.uri, requirements: ['must-exchange-token'] };
    }
    try {
      return shareTerms(await this.peers.discovery(server), share.resource, root);
    } catch (error) {
      if (!isFault(error)) throw error;
      return { kind: 'postpone', why: error.code };
    }
  }

  private async provide(server: Host, share: OpenShare, terms: Sending): Promise<Judgement> {
    // Protocol servers accept nothing but tokens. I-007
    if (!terms.requirements.includes('must-exchange-token')) return { kind: 'unsupported', why: 'token-exchange' };
    const provisionedAs = await this.db.run(
      async (tx) =>
        (await this.provisioning.ready(tx, share.shareId, server)) ??
        (await this.announcing.prepare(tx, share, server, terms)),
    );
    const provided = await this.provisioning.provide(provisionedAs);
    if (provided.kind === 'failed') return { kind: 'not-provisioned', why: provided.why };
    return { ...terms, provisionedAs, ...(provided.uri === undefined ? {} : { uri: provided.uri }) };
  }
}

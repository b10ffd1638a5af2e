import { Injectable } from '@nestjs/common';
import { WebhooksService } from '../feed/webhooks.service.js';
import { GroupRepository } from '../groups/group.repository.js';
import type { Host } from '../kernel/address.js';
import { toBase64url } from '../kernel/bytes.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { isFault } from '../kernel/fault.js';
import { KeyPackagesService } from '../mls/key-packages.service.js';
import { discoveryDocument } from '../ocm/discovery.js';
import { PeerDirectory } from '../ocm/peer-directory.client.js';
import { PeerClient } from '../ocm/peer.client.js';
import { ServerKeysService } from '../ocm/server-keys.service.js';
import { DeliveriesService } from '../outbox/deliveries.service.js';
import { Config } from '../platform/config.js';
import { ResealingWorker } from '../platform/resealing.worker.js';
import { TransactionService } from '../platform/transaction.service.js';
import { Vault } from '../platform/vault.service.js';
import { ProvidersFile } from '../trust/providers-file.provider.js';
import { Trust } from '../trust/trust.service.js';
import { type Check, clockCheck, countChecks, discoveryCheck, peerCheck, publishedKeysCheck } from './examination.js';

/** More are not asked at once. */
const MOST_PEERS = 20;

/** Looks at this server as others do, and at what it has to do. */
@Injectable()
export class DoctorService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly vault: Vault,
    private readonly resealing: ResealingWorker,
    private readonly directory: PeerDirectory,
    private readonly peers: PeerClient,
    private readonly keys: ServerKeysService,
    private readonly keyPackages: KeyPackagesService,
    private readonly deliveries: DeliveriesService,
    private readonly groups: GroupRepository,
    private readonly webhooks: WebhooksService,
    private readonly trust: Trust,
    private readonly file: ProvidersFile,
  ) {}

  /** @param asked the server to be asked whether it knows us; all that were written to when left out */
  async examine(asked?: Host): Promise<Check[]> {
    const known = await this.deliveries.all();
    const peers = asked === undefined ? known.map(({ peer }) => peer.host).slice(0, MOST_PEERS) : [asked];
    const ofPeers = await Promise.all(peers.map((peer) => this.peer(peer)));
    const dead = known.flatMap(({ counts }) => counts).filter(({ state }) => state === 'dead');
    const groups = await this.db.statement((tx) => this.groups.all(tx));
    const [first] = this.vault.keyIds;
    const sealed = [...(await this.resealing.count())].filter(([id]) => id !== first);
    return [
      await this.discovery(),
      await this.publishedKeys(),
      ...ofPeers.flat(),
      ...countChecks({
        short: await this.keyPackages.short(),
        dead: dead.reduce((sum, { letters }) => sum + letters, 0),
        drifted: groups.filter(({ state }) => state === 'drifted').length,
        sealedBefore: sealed.reduce((sum, [, values]) => sum + values, 0),
        stopped: (await this.webhooks.list()).filter(({ webhook }) => webhook.state === 'stopped').length,
        unread: await this.unread(),
      }),
    ];
  }

  private async unread(): Promise<number> {
    const { directories } = await this.trust.picture();
    return directories.filter(({ failure }) => failure !== null).length + (this.file.failure ? 1 : 0);
  }

  private async discovery(): Promise<Check> {
    const { endPoint, providerName: provider, domain } = this.config;
    const meant = discoveryDocument({ endPoint, provider }) as { endPoint: string; jwksUri: string };
    return discoveryCheck(await this.directory.discovery(domain).catch(codeOf), meant);
  }

  private async publishedKeys(): Promise<Check> {
    const missing: string[] = [];
    for (const { kid } of [this.keys.http, this.keys.token]) {
      try {
        await this.directory.verificationKey(this.config.domain, kid);
      } catch (error) {
        const code = codeOf(error);
        if (code !== 'signature.key-unknown') return publishedKeysCheck(code);
        missing.push(kid);
      }
    }
    return publishedKeysCheck(missing);
  }

  /** Asks for the Commits of a group that does not exist: who lets the question in says that it knows no such group. */
  private async peer(peer: Host): Promise<Check[]> {
    const mlsGroupId = toBase64url(this.dice.bytes(32));
    try {
      const { status, headers } = await this.peers.getSigned(peer, `/mls-commits?mlsGroupId=${mlsGroupId}&fromEpoch=0`);
      const clock = clockCheck(peer, headers['date'], this.clock.now());
      return [peerCheck(peer, status), ...(clock ? [clock] : [])];
    } catch (error) {
      return [peerCheck(peer, codeOf(error))];
    }
  }
}

/** Faults tell; what else goes wrong is thrown on. */
function codeOf(error: unknown): string {
  if (isFault(error)) return error.code;
  throw error;
}

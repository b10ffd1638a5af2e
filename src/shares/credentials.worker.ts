import { Injectable } from '@nestjs/common';
import type { Host, OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import type { MlsGroupId } from '../kernel/ids.js';
import { GroupRepository } from '../groups/group.repository.js';
import { ApplicationsService } from '../mls/applications.service.js';
import { mlsApplication } from '../ocm/notification-body.js';
import type { TakenAnswer } from '../outbox/letter.js';
import { Outbox } from '../outbox/outbox.service.js';
import { Config } from '../platform/config.js';
import type { Turn } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { TokensService } from '../tokens/tokens.service.js';
import { type CredentialEntry, credentialMessage } from './application-data.js';
import { CredentialRenewalRepository } from './credential-renewal.repository.js';
import { CREDENTIALS } from './credentials.service.js';
import { ReceivedShareRepository } from './received-share.repository.js';

/** Well below what fits one message. D-22 */
const AT_ONCE = 200;
const LATER_MS = 10 * 60_000;

/**
 * Exchanges secrets: those of one server in a group at once, under the keys of the group and to that server only (OCM-MLS
 * The old ones go on until the new ones were delivered.
 */
@Injectable()
export class CredentialsWorker implements Turn {
  readonly name = CREDENTIALS;

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly renewals: CredentialRenewalRepository,
    private readonly received: ReceivedShareRepository,
    private readonly applications: ApplicationsService,
    private readonly tokens: TokensService,
    private readonly outbox: Outbox,
  ) {}

  turn(): Promise<boolean> {
    const look = async (tx: Tx) =>
      (await this.outbox.hasAnswer(tx, CREDENTIALS)) || (await this.renewals.due(tx, this.clock.now())) !== undefined;
    return this.db.runIf(look, async (tx) => {
      const answer = await this.outbox.takeAnswer(tx, CREDENTIALS);
      if (answer) await this.settle(tx, answer);
      return answer !== undefined || (await this.renew(tx));
    });
  }

  private async settle(tx: Tx, { subject: batch, outcome }: TakenAnswer): Promise<void> {
    for (const { providerId } of await this.renewals.of(tx, batch)) {
      await this.tokens.settle(tx, providerId, outcome === 'delivered');
    }
    // E.g. because an epoch passed meanwhile.
    if (outcome === 'delivered') await this.renewals.forget(tx, batch);
    else await this.renewals.again(tx, batch, new Date(this.clock.now().getTime() + LATER_MS));
  }

  private async renew(tx: Tx): Promise<boolean> {
    const now = this.clock.now();
    const due = await this.renewals.due(tx, now);
    if (!due) return false;
    const known = await this.groups.byAddress(tx, due.group);
    const group = known && (await this.groups.lock(tx, known.mlsGroupId));
    if (group?.state !== 'active') {
      await this.renewals.putOff(tx, due.group, new Date(now.getTime() + LATER_MS));
      return true;
    }
    const batch = this.dice.uuid();
    const entries: Omit<CredentialEntry, 'groupId'>[] = [];
    for (const { providerId } of await this.renewals.take(tx, due, batch, AT_ONCE)) {
      const sharedSecret = await this.tokens.renew(tx, providerId);
      if (sharedSecret !== undefined) entries.push({ providerId, recipient: due.server, sharedSecret });
    }
    if (due.server === this.config.domain) await this.exchangeOwn(tx, entries, batch);
    else if (entries.length > 0) await this.send(tx, due, group.mlsGroupId, entries, batch);
    else await this.renewals.forget(tx, batch);
    return true;
  }

  private async send(
    tx: Tx,
    { group, server }: { readonly group: OcmAddress; readonly server: Host },
    mlsGroupId: MlsGroupId,
    entries: readonly Omit<CredentialEntry, 'groupId'>[],
    batch: string,
  ): Promise<void> {
    for (const { message } of await this.applications.seal(tx, mlsGroupId, [credentialMessage(group, entries)])) {
      await this.outbox.post(tx, {
        to: server,
        lane: mlsGroupId,
        endpoint: 'notifications',
        kind: 'MLS_APPLICATION',
        subject: batch,
        body: mlsApplication({ senderDomain: this.config.domain, mlsGroupId, content: message }),
        answerTo: CREDENTIALS,
      });
    }
  }

  private async exchangeOwn(
    tx: Tx,
    entries: readonly Omit<CredentialEntry, 'groupId'>[],
    batch: string,
  ): Promise<void> {
    for (const { providerId, recipient, sharedSecret } of entries) {
      const own = await this.received.byProvider(tx, recipient, providerId);
      if (own) await this.received.exchangeSecret(tx, own.id, sharedSecret);
      await this.tokens.settle(tx, providerId, own !== undefined);
    }
    await this.renewals.forget(tx, batch);
  }
}

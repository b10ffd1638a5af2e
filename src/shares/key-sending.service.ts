import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { wipe } from '../kernel/bytes.js';
import { Dice } from '../kernel/dice.js';
import type { Group } from '../groups/group.js';
import type { Locked } from '../groups/group.repository.js';
import { MemberRepository } from '../groups/member.repository.js';
import { ApplicationsService } from '../mls/applications.service.js';
import { mlsApplication } from '../ocm/notification-body.js';
import { Outbox } from '../outbox/outbox.service.js';
import { Config } from '../platform/config.js';
import type { Tx } from '../platform/transaction.service.js';
import { keyMessages } from './application-data.js';
import { EncryptedResourceRepository, type SharedKey } from './encrypted-resource.repository.js';
import { wrapFileKey } from './wrapped-key.js';

/** What letters with file keys are about, so that those that nobody has read yet can be taken back. */
const FILE_KEYS = 'file-keys';
const KIND = 'MLS_APPLICATION';
/** File keys that are open in memory at once. */
const PAGE = 1_000;

/** Sends file keys to the member servers of a group, wrapped under its Group Key. OCM-MLS section 8.5 */
@Injectable()
export class KeySendingService {
  constructor(
    private readonly config: Config,
    private readonly dice: Dice,
    private readonly members: MemberRepository,
    private readonly resources: EncryptedResourceRepository,
    private readonly applications: ApplicationsService,
    private readonly outbox: Outbox,
  ) {}

  /** What a share that was just made needs, to all member servers of the epoch in which the group stands here. OCM-MLS R-170 */
  async send(tx: Tx, group: Locked<Group>, key: SharedKey): Promise<void> {
    const servers = await this.servers(tx, group);
    if (servers.length === 0) return;
    await this.post(tx, group, servers, await this.wrap(tx, group, [key]));
  }

  /**
   * All file keys that are shared with the group, under the Group Key of the epoch that it entered here, to all member
   * servers of that epoch (OCM-MLS ); the file keys stay what they are, whoever came. Letters with keys of earlier epochs that were not
   * delivered are taken back: these keys say it all. Returns how many.
   */
  async resend(tx: Tx, group: Locked<Group>): Promise<number> {
    const servers = await this.servers(tx, group);
    let [sent, after]: [number, string | undefined] = [0, undefined];
    for (let page = await this.page(tx, group, after); page.length > 0; page = await this.page(tx, group, after)) {
      if (sent === 0) await this.outbox.withdraw(tx, { lane: group.mlsGroupId, kind: KIND, subject: FILE_KEYS });
      if (servers.length > 0) await this.post(tx, group, servers, await this.wrap(tx, group, page));
      sent += page.length;
      after = page.at(-1)!.resourceId;
    }
    return sent;
  }

  private page(tx: Tx, { address }: Group, after: string | undefined): Promise<SharedKey[]> {
    return this.resources.sharedWith(tx, address, after, PAGE);
  }

  private async servers(tx: Tx, { mlsGroupId }: Group): Promise<Host[]> {
    return (await this.members.servers(tx, mlsGroupId)).filter((server) => server !== this.config.domain);
  }

  private async wrap(tx: Tx, { mlsGroupId }: Group, keys: readonly SharedKey[]): Promise<Uint8Array[]> {
    const wrapping = await this.applications.wrapping(tx, mlsGroupId);
    const wrapped = keys.map(({ resourceId, key: { bytes } }) => {
      const wrappedKey = wrapFileKey(wrapping, resourceId, bytes, this.dice);
      wipe(bytes);
      return { resourceId, wrappedKey };
    });
    wipe(wrapping.groupKey);
    return keyMessages(wrapping.label, wrapped);
  }

  /** Each message is sealed once and goes straight to every server (OCM-MLS R-016). */
  private async post(tx: Tx, { mlsGroupId }: Group, servers: readonly Host[], messages: readonly Uint8Array[]) {
    for (const { message } of await this.applications.seal(tx, mlsGroupId, messages)) {
      const body = mlsApplication({ senderDomain: this.config.domain, mlsGroupId, content: message });
      for (const to of servers) {
        await this.outbox.post(tx, {
          to,
          lane: mlsGroupId,
          endpoint: 'notifications',
          kind: KIND,
          subject: FILE_KEYS,
          body,
        });
      }
    }
  }
}

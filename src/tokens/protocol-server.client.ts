import { Injectable } from '@nestjs/common';
import { utf8 } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { PeerClient } from '../ocm/peer.client.js';
import { type Allocated, allocatedBy, type ShareRecord } from './share-record.js';

/** Speaks with the Integration API of protocol servers, signed with this server's key. OCM-IP, Integration API. I-012 */
@Injectable()
export class ProtocolServerClient {
  constructor(private readonly peers: PeerClient) {}

  /**
   * Has a share stored; nothing but 201 says that it is. Throws `provisioning.refused`, `provisioning.answer-malformed`, `peer.*`. Not within a transaction.
   */
  async provision({ integrationApi, notice, issues }: ShareRecord): Promise<Allocated> {
    const { status, body } = await this.peers.postTo(`${integrationApi}/shares`, bytesOf(notice));
    if (status !== 201) throw new Fault('provisioning.refused', { status });
    return allocatedBy(body, issues);
  }

  /** Has it forgotten; what is not there is forgotten already. Throws `provisioning.refused`, `peer.*`. I-025, I-027 */
  async revoke({ integrationApi, notice: { sender, providerId } }: ShareRecord): Promise<void> {
    const { status } = await this.peers.postTo(`${integrationApi}/revoke`, bytesOf({ sender, providerId }));
    if (status !== 200) throw new Fault('provisioning.refused', { status });
  }
}

const bytesOf = (body: object): Uint8Array => utf8(JSON.stringify(body));

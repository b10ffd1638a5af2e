import { Injectable } from '@nestjs/common';
import { hostOf, type OcmAddress } from '../kernel/address.js';
import { wipe } from '../kernel/bytes.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault, isFault } from '../kernel/fault.js';
import type { Cipher } from '../content/cipher.js';
import { type FileKey, fileKey, newFileKey } from '../content/file-key.js';
import { ApplicationsService } from '../mls/applications.service.js';
import type { MlsEncryption } from '../ocm/share-encryption.js';
import type { Permission } from '../ocm/share-protocol.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import {
  type EncryptedResource,
  EncryptedResourceRepository,
  encryptionOf,
  type SharedKey,
} from './encrypted-resource.repository.js';
import { OpeningService } from './opening.service.js';
import type { ReceivedShare } from './received-share.js';
import { ShareRepository } from './share.repository.js';
import { type OpenedKey, unwrapFileKey } from './wrapped-key.js';
import { WrappedKeyRepository } from './wrapped-key.repository.js';

/** The file keys of this server's resources, and of what its users were given. OCM-MLS sections 8.3 and 8.7 */
@Injectable()
export class FileKeysService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly resources: EncryptedResourceRepository,
    private readonly shares: ShareRepository,
    private readonly wrapped: WrappedKeyRepository,
    private readonly openings: OpeningService,
    private readonly applications: ApplicationsService,
    private readonly log: Log,
  ) {}

  /**
   * The file key of a resource of this server; made with the first share of it, the same for all groups after that
   * (OCM-MLS ), and never a providerId for its name. Throws `share.cipher-fixed`.
   */
  async seal(tx: Tx, efssId: string, cipher: Cipher): Promise<SharedKey & { readonly encryption: MlsEncryption }> {
    const known = await this.resources.lock(tx, efssId);
    if (known && known.cipher !== cipher) throw new Fault('share.cipher-fixed', { cipher: known.cipher });
    const resource = known ?? (await this.make(tx, efssId, cipher));
    const key = (await this.resources.key(tx, resource.resourceId))!;
    return { resourceId: resource.resourceId, key, encryption: encryptionOf(resource) };
  }

  private async make(tx: Tx, efssId: string, cipher: Cipher): Promise<EncryptedResource> {
    const at = this.clock.now();
    const resource = { resourceId: this.dice.uuid(), efssId, cipher, version: 1, madeAt: at, keyedAt: at };
    const key = newFileKey(cipher, this.dice);
    await this.resources.add(tx, resource, key);
    wipe(key.bytes);
    return resource;
  }

  /** For the file platform that shares it. Throws `share.unknown`, `share.not-encrypted`. */
  ofShare(shareId: string): Promise<OpenedKey> {
    return this.db.run(async (tx) => {
      const share = await this.shares.byId(tx, shareId);
      if (!share) throw new Fault('share.unknown', { share: shareId });
      return this.own(tx, share.encryption, shareId);
    });
  }

  /**
   * For the file platform of a user, or of any local member, who may open the share now. Throws `share.unknown`,
   * `share.not-recipient`, `share.not-encrypted`, `share.no-key-yet` and `share.key-superseded`. OCM-MLS R-187
   */
  ofReceived(id: string, member?: OcmAddress): Promise<OpenedKey> {
    return this.openReceived(id, member);
  }

  /** The same for who is going to write. Throws `share.read-only`, too. OCM-MLS R-188 */
  toWriteReceived(id: string, member?: OcmAddress): Promise<OpenedKey> {
    return this.openReceived(id, member, 'write');
  }

  private openReceived(id: string, member?: OcmAddress, permission?: Permission): Promise<OpenedKey> {
    return this.db.run(async (tx) => {
      const share = await this.openings.authorized(tx, id, member);
      if (permission && !share.resource.permissions.includes(permission)) {
        throw new Fault('share.read-only', { share: id });
      }
      const { encryption, from } = share;
      if (from === this.config.domain) return this.own(tx, encryption, id);
      if (!encryption) throw new Fault('share.not-encrypted', { share: id });
      return { encryption, key: await this.unwrap(tx, share, encryption) };
    });
  }

  private async own(tx: Tx, encryption: MlsEncryption | undefined, share: string): Promise<OpenedKey> {
    const key = encryption && (await this.resources.key(tx, encryption.resourceId));
    if (!key) throw new Fault('share.not-encrypted', { share });
    return { encryption, key };
  }

  private async unwrap(tx: Tx, share: ReceivedShare, { resourceId, cipher }: MlsEncryption): Promise<FileKey> {
    const { id, group: address, sender } = share;
    const place = { sender: hostOf(sender), group: address };
    const wrapped = await this.wrapped.find(tx, place, resourceId);
    if (!wrapped) throw new Fault('share.no-key-yet', { share: id });
    const { mlsGroupId, order } = wrapped;
    const wrapping = await this.applications.wrappingOf(tx, { mlsGroupId, address }, order.epoch);
    if (!wrapping) throw new Fault('share.key-superseded', { share: id, epoch: order.epoch });
    try {
      return fileKey(cipher, unwrapFileKey(wrapping, resourceId, wrapped.wrapped));
    } catch (error) {
      if (!isFault(error)) throw error;
      // Of a history that was given up, or by a server that does not know what it wraps: either is set right by the next.
      const facts = {
        event: 'file-key.unopenable',
        share: id,
        peer: place.sender,
        epoch: order.epoch,
        code: error.code,
      };
      this.log.warn(facts, 'a file key does not open');
      throw new Fault('share.key-superseded', { share: id, epoch: order.epoch }, error);
    } finally {
      wipe(wrapping.groupKey);
    }
  }
}

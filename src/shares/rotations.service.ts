import { Injectable } from '@nestjs/common';
import { wipe } from '../kernel/bytes.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault, isFault } from '../kernel/fault.js';
import { type FileKey, newFileKey } from '../content/file-key.js';
import { openHeader } from '../content/stream-header.js';
import type { MlsEncryption } from '../ocm/share-encryption.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Poller } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { type EncryptedResource, EncryptedResourceRepository, encryptionOf } from './encrypted-resource.repository.js';
import { NEW_KEYS } from './new-key.worker.js';
import { type Rotation, withProgress } from './rotation.js';
import { type RotationFilter, RotationRepository } from './rotation.repository.js';
import { RotationWishes } from './rotation-wishes.service.js';
import { ShareRepository } from './share.repository.js';

/** What the file platform needs to encrypt a file anew. Secret: wipe both keys after use. */
export interface RotationKeys {
  readonly rotation: Rotation;
  readonly encryption: MlsEncryption;
  readonly oldKey: FileKey;
  readonly newKey: FileKey;
}

/** Which file key a ciphertext was made with; `other`: one from before, or none of this file. */
export type WrittenUnder = 'current' | 'next' | 'other';

/**
 * New file keys, step by step as the file platform takes them: it has the bytes, this server the keys. Every step may be
 * repeated, and after a crash on either side the job goes on where it was. OCM-MLS section 8.10
 */
@Injectable()
export class RotationsService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly shares: ShareRepository,
    private readonly resources: EncryptedResourceRepository,
    private readonly rotations: RotationRepository,
    private readonly wishes: RotationWishes,
    private readonly audit: AuditLog,
    private readonly poller: Poller,
  ) {}

  /** By hand. When a new key is wanted already, or under way, it is that one. Throws `share.unknown`, `share.not-encrypted`. */
  ask(shareId: string): Promise<Rotation> {
    return this.db.run(async (tx) => {
      const { resourceId } = await this.resourceOf(tx, shareId);
      await this.wishes.asked(tx, resourceId);
      return (await this.rotations.lock(tx, resourceId))!;
    });
  }

  /** The latest one of each resource; without `state`: all that are not done. */
  list(filter: RotationFilter, most: number): Promise<Rotation[]> {
    return this.db.statement((tx) => this.rotations.list(tx, filter, most));
  }

  /** The latest one of a resource. Throws `rotation.unknown`. */
  get(resourceId: string): Promise<Rotation> {
    return this.db.run((tx) => this.latest(tx, resourceId));
  }

  /**
   * The old and the new key. The same new one again until the rotation is finished: the file may be encrypted with it
   * already. Throws `rotation.unknown`, `rotation.over`.
   */
  begin(resourceId: string): Promise<RotationKeys> {
    return this.db.run(async (tx) => {
      const resource = await this.lock(tx, resourceId);
      const known = await this.latest(tx, resourceId);
      const rotation = known.state === 'due' ? await this.start(tx, known, resource) : known;
      const newKey = await this.rotations.newKey(tx, rotation, resource.cipher);
      if (!newKey) throw new Fault('rotation.over', { version: rotation.version });
      const oldKey = (await this.resources.key(tx, resourceId))!;
      return { rotation, encryption: encryptionOf(resource), oldKey, newKey };
    });
  }

  private async start(tx: Tx, due: Rotation, { cipher }: EncryptedResource): Promise<Rotation> {
    const key = newFileKey(cipher, this.dice);
    const rotation = await this.rotations.begin(tx, due, key, this.clock.now());
    wipe(key.bytes);
    return rotation;
  }

  /** How far the file platform is. Throws `rotation.unknown`, `rotation.not-begun`, `rotation.over`. */
  progress(resourceId: string, version: number, bytesDone: number, bytesTotal: number): Promise<Rotation> {
    return this.db.run(async (tx) => {
      const rotation = await this.latest(tx, resourceId);
      mustBeUnderWay(rotation, version);
      const next = withProgress(rotation, bytesDone, bytesTotal);
      await this.rotations.save(tx, next);
      return next;
    });
  }

  /**
   * The stored file is encrypted with the new key: that is the one in use from now on, and goes to every group that has
   * access (OCM-MLS R-194). Once more is no error. Throws `rotation.unknown`, `rotation.not-begun`, `rotation.over`.
   */
  finish(resourceId: string, version: number): Promise<Rotation> {
    return this.db.run(async (tx) => {
      const resource = await this.lock(tx, resourceId);
      const rotation = await this.latest(tx, resourceId);
      if (rotation.version === version && isFinished(rotation)) return rotation;
      mustBeUnderWay(rotation, version);
      const at = this.clock.now();
      const key = (await this.rotations.newKey(tx, rotation, resource.cipher))!;
      await this.resources.exchange(tx, { ...resource, version, keyedAt: at }, key);
      wipe(key.bytes);
      const bytesDone = rotation.bytesTotal ?? rotation.bytesDone;
      const sending: Rotation = { ...rotation, state: 'sending', bytesDone, finishedAt: at };
      await this.rotations.save(tx, sending);
      const groups = await this.resources.groupsOf(tx, resourceId);
      await this.rotations.deliver(tx, sending, groups);
      const facts = { resourceId, version, cause: rotation.cause, groups };
      await this.audit.record(tx, { act: 'file-key.rotated', actor: this.config.domain, facts });
      this.db.afterCommit(tx, () => this.poller.wake(NEW_KEYS));
      return sending;
    });
  }

  /**
   * By which key a file of the format `ocm-stream-1` was encrypted, by its first 78 bytes: what was written under a key
   * from before, or is no such file, is not to be stored. Throws `share.unknown`, `share.not-encrypted`.
   */
  writtenUnder(shareId: string, header: Uint8Array): Promise<{ readonly key: WrittenUnder; readonly version: number }> {
    return this.db.run(async (tx) => {
      const { resourceId, cipher, version } = await this.resourceOf(tx, shareId);
      const current = (await this.resources.key(tx, resourceId))!;
      if (opens(header, current)) return { key: 'current', version };
      const rotation = await this.rotations.lock(tx, resourceId);
      const next = rotation && (await this.rotations.newKey(tx, rotation, cipher));
      return { key: next && opens(header, next) ? 'next' : 'other', version };
    });
  }

  private async resourceOf(tx: Tx, shareId: string): Promise<EncryptedResource> {
    const share = await this.shares.byId(tx, shareId);
    if (!share) throw new Fault('share.unknown', { share: shareId });
    const resource = share.encryption && (await this.resources.byId(tx, share.encryption.resourceId));
    if (!resource) throw new Fault('share.not-encrypted', { share: shareId });
    return resource;
  }

  /** As whoever shares it locks it: the groups that it is shared with do not change meanwhile. */
  private async lock(tx: Tx, resourceId: string): Promise<EncryptedResource> {
    const known = await this.resources.byId(tx, resourceId);
    const resource = known && (await this.resources.lock(tx, known.efssId));
    if (!resource) throw new Fault('rotation.unknown', { resourceId });
    return resource;
  }

  private async latest(tx: Tx, resourceId: string): Promise<Rotation> {
    const rotation = await this.rotations.lock(tx, resourceId);
    if (!rotation) throw new Fault('rotation.unknown', { resourceId });
    return rotation;
  }
}

const isFinished = ({ state }: Rotation): boolean => state === 'sending' || state === 'done';

function mustBeUnderWay(rotation: Rotation, version: number): void {
  const facts = { version: rotation.version };
  if (version > rotation.version) throw new Fault('rotation.not-begun', facts);
  if (version < rotation.version || isFinished(rotation)) throw new Fault('rotation.over', facts);
  if (rotation.state === 'due') throw new Fault('rotation.not-begun', facts);
}

function opens(header: Uint8Array, key: FileKey): boolean {
  try {
    wipe(openHeader(header, key).key);
    return true;
  } catch (error) {
    if (isFault(error) && error.code.startsWith('content.')) return false;
    throw error;
  } finally {
    wipe(key.bytes);
  }
}

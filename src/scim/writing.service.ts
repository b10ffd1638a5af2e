import { Injectable } from '@nestjs/common';
import { ocmAddress, type OcmAddress } from '../kernel/address.js';
import { Fault, isFault } from '../kernel/fault.js';
import { Idempotency, type IdempotencyKey } from '../platform/idempotency.repository.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { assertedIn } from './assertion.js';
import { DirectoryService } from './directory.service.js';
import { GroupWriter } from './group-writer.service.js';
import { ExternalIdRepository } from './external-id.repository.js';
import { patched } from './patch.js';
import { operationsOf } from './patch-request.js';
import { assertMeant, type Precondition } from './precondition.js';
import { replaced } from './replacement.js';
import { EXTERNAL_ID, type JsonObject, type ResourceType } from './schema.js';
import { GROUPS } from './schemas.js';
import { UserWriter } from './user-writer.service.js';
import type { Aim, Outcome, Writer } from './writing.js';

/** Who asks for what to be done to which resource. */
export interface Asked {
  readonly type: ResourceType;
  readonly id: string;
  readonly precondition: Precondition;
  readonly by?: OcmAddress | undefined;
  readonly key?: IdempotencyKey | undefined;
}

/** Writes users and groups: all of a request or nothing, once for an Idempotency-Key. RFC 7644 sections 3.3, 3.5, 3.6 */
@Injectable()
export class WritingService {
  constructor(
    private readonly db: TransactionService,
    private readonly idempotency: Idempotency,
    private readonly directory: DirectoryService,
    private readonly externalIds: ExternalIdRepository,
    private readonly users: UserWriter,
    private readonly groups: GroupWriter,
  ) {}

  /** Returns the id. Throws what `assertedIn` and the writer of the type refuse. */
  async create({ type, by, key }: Omit<Asked, 'id' | 'precondition'>, body: unknown): Promise<string> {
    const asserted = assertedIn(type, body);
    const { id } = await this.db.run((tx) =>
      this.idempotency.once(tx, key, async () => {
        const made = await this.writer(type).create(tx, asserted, by);
        // An address may have had another one before.
        await this.externalIds.put(tx, type, made, externalIdOf(asserted));
        return { id: made };
      }),
    );
    return id;
  }

  /** Throws as `modify`. */
  replace(asked: Asked, body: unknown): Promise<Outcome> {
    const asserted = assertedIn(asked.type, body);
    return this.change(asked, (now) => ({ now, meant: replaced(asked.type, now, asserted), operations: [] }));
  }

  /** Throws what `operationsOf`, `patched` and the writer of the type refuse, and `scim.version`. */
  modify(asked: Asked, body: unknown): Promise<Outcome> {
    const operations = operationsOf(asked.type, body);
    return this.change(asked, (now) => ({ now, meant: patched(asked.type, now, operations), operations }));
  }

  /** Throws `client.unknown`, `group.not-found`, `scim.version`, `scim.not-built`, `change.last-admin`. */
  async remove(asked: Asked): Promise<void> {
    await this.held(asked, async (tx, id) => {
      await this.writer(asked.type).remove(tx, id);
      return { isPending: false };
    });
  }

  private change(asked: Asked, aim: (now: JsonObject) => Omit<Aim, 'by'>): Promise<Outcome> {
    const { type, by } = asked;
    return this.held(asked, async (tx, id, now) => {
      const aimed = { ...aim(now), by };
      const externalId = externalIdOf(aimed.meant);
      if (externalId !== externalIdOf(now)) await this.externalIds.put(tx, type, id, externalId);
      return this.writer(type).bringAbout(tx, id, aimed);
    });
  }

  private async held(
    { type, id: text, precondition, key }: Asked,
    work: (tx: Tx, id: OcmAddress, now: JsonObject) => Promise<Outcome>,
  ): Promise<Outcome> {
    const id = addressOf(type, text);
    const writer = this.writer(type);
    try {
      return await this.db.run((tx) =>
        this.idempotency.once(tx, key, async () => {
          await writer.hold(tx, id);
          const now = await this.directory.oneIn(tx, type, id);
          assertMeant(now, precondition);
          return work(tx, id, now);
        }),
      );
    } catch (error) {
      await writer.noteRefusal(id, error);
      throw error;
    }
  }

  private writer(type: ResourceType): Writer<Tx> {
    return type === GROUPS ? this.groups : this.users;
  }
}

const externalIdOf = (resource: JsonObject) => resource[EXTERNAL_ID.name] as string | undefined;

function addressOf(type: ResourceType, id: string): OcmAddress {
  try {
    return ocmAddress(id);
  } catch (error) {
    if (!isFault(error, 'address.malformed')) throw error;
    throw new Fault(type === GROUPS ? 'group.not-found' : 'client.unknown', { id: id.slice(0, 300) });
  }
}

import { Injectable } from '@nestjs/common';
import { ocmAddress, type OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { UsersService } from '../membership/users.service.js';
import type { Tx } from '../platform/transaction.service.js';
import { DirectoryService } from './directory.service.js';
import type { Json, JsonObject } from './schema.js';
import { USERS } from './schemas.js';
import type { Aim, Outcome, Writer } from './writing.js';

/** Users are made known, renamed, made inactive and active again, and forgotten (D-27). */
@Injectable()
export class UserWriter implements Writer<Tx> {
  constructor(
    private readonly directory: DirectoryService,
    private readonly users: UsersService,
  ) {}

  /** Throws `scim.value`, `scim.taken`, `client.foreign`, `client.exists`. */
  async create(tx: Tx, { userName, displayName, active = true }: JsonObject): Promise<OcmAddress> {
    if (typeof userName !== 'string') throw new Fault('scim.value', { reason: 'userName is missing' });
    const address = ocmAddress(userName);
    if (await this.directory.isNamed(tx, USERS, address)) throw new Fault('scim.taken', { userName: address });
    const user = await this.users.addIn(tx, address, nameIn(displayName, address));
    if (active === false) await this.users.change(tx, user, { ...user, active });
    return address;
  }

  async hold(tx: Tx, id: OcmAddress): Promise<void> {
    await this.users.hold(tx, id);
  }

  /** What is to become of memberships is told by the resource itself: the user is as asked at once. */
  async bringAbout(tx: Tx, id: OcmAddress, { meant: { displayName, active } }: Aim): Promise<Outcome> {
    if (typeof active !== 'boolean') throw new Fault('scim.value', { reason: 'active is true or false' });
    await this.users.change(tx, await this.users.hold(tx, id), { displayName: nameIn(displayName, id), active });
    return { isPending: false };
  }

  async remove(tx: Tx, id: OcmAddress): Promise<void> {
    await this.users.end(tx, await this.users.hold(tx, id));
  }

  async noteRefusal(): Promise<void> {}
}

const nameIn = (displayName: Json | undefined, address: OcmAddress): string =>
  typeof displayName === 'string' ? displayName : address;

import type { Cipher } from '../../src/content/cipher.js';
import type { OcmAddress } from '../../src/kernel/address.js';
import type { ApiAnswer, TestServer } from './server.js';

/** What the interface refused. The message is the code of the fault, for `rejects.toThrow`. */
export class Refusal extends Error {
  constructor(readonly answer: ApiAnswer) {
    super((answer.body as { code?: string }).code ?? `status ${answer.status}`);
  }
}

export interface GroupPicture {
  readonly address: string;
  readonly mlsGroupId: string;
  readonly epoch: number;
  readonly state: 'active' | 'left' | 'drifted' | 'suspended';
  readonly admins: readonly string[];
  readonly ownerServer: string;
  readonly warnings: readonly string[];
  readonly staleLeaves: readonly string[];
  readonly members: readonly { readonly address: string; readonly leafIndex: number }[];
  readonly lastCommit: { readonly digest: string; readonly committer: string } | null;
}

/** Something that was asked of a group, and how it stands. */
export interface Change {
  readonly id: string;
  readonly kind: string;
  readonly state: 'requested' | 'prepared' | 'proposed' | 'committing' | 'done' | 'refused' | 'withdrawn';
  readonly code: string | null;
  readonly epoch: number | null;
  readonly tries: number;
}

/** What an admin is asked to approve. */
export interface Approval {
  readonly id: string;
  readonly group: string;
  readonly kind: string;
  readonly subject: string;
  readonly proposer: string | null;
  readonly state: 'open' | 'approved' | 'declined' | 'lapsed' | 'fulfilled';
  readonly change: string | null;
  readonly effect: Readonly<Record<string, unknown>> | null;
}

export interface Share {
  readonly id: string;
  readonly state: 'open' | 'ended';
  readonly reason: string | null;
  readonly servers: readonly { readonly server: string; readonly state: string; readonly providerId: string | null }[];
  readonly encryption: FileKey['encryption'] | null;
}

export interface ReceivedShare {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly sender: string;
  readonly server: string;
  readonly providerId: string;
  readonly encryption: FileKey['encryption'] | null;
  readonly protocol: { readonly webdav: { readonly permissions: readonly string[] } };
}

export interface FileKey {
  readonly fileKey: string;
  readonly encryption: { readonly resourceId: string; readonly cipher: string; readonly format: string | null };
}

export interface Rotation {
  readonly resourceId: string;
  readonly version: number;
  readonly cause: string;
  readonly state: 'due' | 'under-way' | 'sending' | 'done';
  readonly bytesDone: number;
  readonly bytesTotal: number | null;
}

export interface RotationKeys {
  readonly rotation: Rotation;
  readonly oldFileKey: string;
  readonly newFileKey: string;
}

export interface Opening {
  readonly access_token: string;
  readonly uri: string;
}

type Settle = () => Promise<void>;

/** A user and what users do, through the interface of their server. Nothing here waits: `world.settle()` does. */
export class Person {
  constructor(
    readonly address: OcmAddress,
    private readonly server: TestServer,
    private readonly settle: Settle,
  ) {}

  /** Founds a group. When it is to have members, everybody works until they are in it. */
  async createGroup(identifier: string, members: readonly Person[] = []): Promise<string> {
    const { address } = await this.ask<GroupPicture>('POST', '/groups', { identifier, creator: this.address });
    for (const member of members) await this.add(address, member);
    if (members.length > 0) await this.settle();
    return address;
  }

  add(group: string, who: Person | string): Promise<Change> {
    return this.ask('POST', `${path(group)}/members`, { address: addressOf(who), by: this.address });
  }

  remove(group: string, who: Person | string): Promise<Change> {
    return this.ask('DELETE', `${path(group)}/members/${encode(addressOf(who))}?by=${encode(this.address)}`);
  }

  leave(group: string): Promise<Change> {
    return this.ask('POST', `${path(group)}/leave`, { member: this.address });
  }

  appoint(group: string, who: Person | string): Promise<Change> {
    return this.ask('POST', `${path(group)}/admins`, { address: addressOf(who), by: this.address });
  }

  dismiss(group: string, who: Person | string): Promise<Change> {
    return this.ask('DELETE', `${path(group)}/admins/${encode(addressOf(who))}?by=${encode(this.address)}`);
  }

  resign(group: string): Promise<Change> {
    return this.dismiss(group, this);
  }

  /** The group is to go on as its successor. */
  reinit(group: string): Promise<Change> {
    return this.ask('POST', `${path(group)}/reinit`, { by: this.address });
  }

  /** What this user, as an admin, is asked to approve. */
  async approvals(state: Approval['state'] = 'open'): Promise<Approval[]> {
    const where = `/approvals?admin=${encode(this.address)}&state=${state}`;
    return (await this.ask<{ approvals: Approval[] }>('GET', where)).approvals;
  }

  approve({ id }: Pick<Approval, 'id'>): Promise<Approval> {
    return this.ask('POST', `/approvals/${id}/approve`, { by: this.address });
  }

  decline({ id }: Pick<Approval, 'id'>, reason = 'no'): Promise<Approval> {
    return this.ask('POST', `/approvals/${id}/decline`, { by: this.address, reason });
  }

  /** Does not want any more what was asked for. */
  withdraw({ id }: Pick<Change, 'id'>): Promise<Change> {
    return this.ask('DELETE', `/changes/${id}`);
  }

  change({ id }: Pick<Change, 'id'>): Promise<Change> {
    return this.ask('GET', `/changes/${id}`);
  }

  /** What was asked of the group at this user's server, newest first. */
  async changes(group: string): Promise<Change[]> {
    return (await this.ask<{ changes: Change[] }>('GET', `${path(group)}/changes`)).changes;
  }

  /** The group as this user's server sees it. */
  sees(group: string): Promise<GroupPicture> {
    return this.ask('GET', path(group));
  }

  /** The addresses of the members as this user's server sees them, in order of the alphabet. */
  async members(group: string): Promise<string[]> {
    return (await this.sees(group)).members.map(({ address }) => address).sort();
  }

  share(group: string, name: string, changes: object = {}): Promise<Share> {
    const resource = { id: `file-${name}`, type: 'file', name, uri: name, permissions: ['read'] };
    return this.ask('POST', '/shares', { group, sender: this.address, resource: { ...resource, ...changes } });
  }

  /** The same, encrypted: its file key goes to the group. */
  shareEncrypted(group: string, name: string, cipher?: Cipher): Promise<Share> {
    const resource = { id: `file-${name}`, type: 'file', name, uri: name, permissions: ['read'] };
    const encryption = cipher ? { cipher } : {};
    return this.ask('POST', '/shares', { group, sender: this.address, resource, encryption });
  }

  /** The file key, in base64url, of what this user shares. */
  async keyOfShared({ id }: Pick<Share, 'id'>): Promise<string> {
    return (await this.ask<FileKey>('GET', `/shares/${id}/file-key`)).fileKey;
  }

  /** The file key, in base64url, of what was shared under that name; otherwise the code of the refusal. */
  async fileKey(name: string): Promise<string> {
    const share = (await this.receives()).find((received) => received.name === name);
    return share ? this.fileKeyById(share.id) : 'nothing of that name';
  }

  async fileKeyById(id: string): Promise<string> {
    try {
      const found = await this.ask<FileKey>('GET', `/received-shares/${id}/file-key?user=${encode(this.address)}`);
      return found.fileKey;
    } catch (error) {
      if (error instanceof Refusal) return error.message;
      throw error;
    }
  }

  /** New credentials for all servers that have the share, or for one. */
  async rotateCredentials({ id }: Pick<Share, 'id'>, server?: string): Promise<readonly string[]> {
    const body = server === undefined ? {} : { server };
    return (await this.ask<{ servers: string[] }>('POST', `/shares/${id}/credentials`, body)).servers;
  }

  /** The way of a file to its next key, as it stands; asked for when `wish` is set. */
  async rotation({ id }: Pick<Share, 'id'>, wish = false): Promise<Rotation> {
    if (wish) return this.ask('POST', '/rotations', { share: id });
    const { encryption } = await this.shared({ id });
    return this.ask('GET', `/rotations/${encryption!.resourceId}`);
  }

  /** Files of this user's server that are to have new keys, or whose latest change is in that state. */
  async rotations(state?: Rotation['state']): Promise<Rotation[]> {
    const query = state ? `?state=${state}` : '';
    return (await this.ask<{ rotations: Rotation[] }>('GET', `/rotations${query}`)).rotations;
  }

  beginRotation({ resourceId }: Pick<Rotation, 'resourceId'>): Promise<RotationKeys> {
    return this.ask('POST', `/rotations/${resourceId}/begin`);
  }

  progressOfRotation({ resourceId, version }: Rotation, bytesDone: number, bytesTotal: number): Promise<Rotation> {
    return this.ask('PUT', `/rotations/${resourceId}/progress`, { version, bytesDone, bytesTotal });
  }

  finishRotation({ resourceId, version }: Pick<Rotation, 'resourceId' | 'version'>): Promise<Rotation> {
    return this.ask('POST', `/rotations/${resourceId}/finish`, { version });
  }

  /** Which key of a shared file something was encrypted with. */
  async writtenUnder({ id }: Pick<Share, 'id'>, written: Uint8Array): Promise<string> {
    const header = Buffer.from(written.subarray(0, 78)).toString('base64url');
    return (await this.ask<{ key: string }>('POST', `/shares/${id}/file-key/check`, { header })).key;
  }

  changePermissions({ id }: Pick<Share, 'id'>, permissions: readonly string[]): Promise<Share> {
    return this.ask('PATCH', `/shares/${id}`, { permissions });
  }

  unshare({ id }: Pick<Share, 'id'>): Promise<void> {
    return this.ask('DELETE', `/shares/${id}`);
  }

  /** A share of this user's server, with its state at every other server. */
  shared({ id }: Pick<Share, 'id'>): Promise<Share> {
    return this.ask('GET', `/shares/${id}`);
  }

  /** What this user can open. */
  async receives(): Promise<ReceivedShare[]> {
    return (await this.ask<{ shares: ReceivedShare[] }>('GET', `/received-shares?user=${encode(this.address)}`)).shares;
  }

  /** The token for what was shared under that name, bound to this user; otherwise the code of the refusal. */
  async open(name: string): Promise<Opening | string> {
    const share = (await this.receives()).find((received) => received.name === name);
    return share ? this.openById(share.id) : 'nothing of that name';
  }

  /** The same for a share whose id is known from before. */
  async openById(id: string): Promise<Opening | string> {
    try {
      return await this.ask<Opening>('POST', `/received-shares/${id}/token`, { member: this.address });
    } catch (error) {
      if (error instanceof Refusal) return error.message;
      throw error;
    }
  }

  private async ask<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', where: string, body?: object): Promise<T> {
    const answer = await this.server.api(method, where, body);
    if (answer.status >= 400) throw new Refusal(answer);
    return answer.body as T;
  }
}

const encode = encodeURIComponent;
const path = (group: string) => `/groups/${encode(group)}`;
const addressOf = (who: Person | string) => (typeof who === 'string' ? who : who.address);

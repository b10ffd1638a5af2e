import type { Host, OcmAddress } from '../kernel/address.js';
import type { FaultCode } from '../kernel/fault.js';
import type { CommitDigest, Epoch, MlsGroupId } from '../kernel/ids.js';

/** Everything the audit log knows of, and what each means to who reads it. */
export const AUDIT_ACTS = {
  'group.founded': 'a user of this server founded the group',
  'group.joined': 'a user of this server was taken into the group by a Welcome',
  'address.bound': 'the address of a group of another server was seen for the first time and belongs to that group',
  'change.approved': 'an admin asked for a change, which is the approval of it',
  'change.proposed': 'a member who is no admin asked for a change, which is proposed to the admins',
  'change.withdrawn': 'a change that was asked for is not wanted any more',
  'approval.declined': 'an admin declined what was proposed',
  'leave.asked': 'a member asked to leave',
  'change.refused': 'a change that was asked for cannot be carried out',
  'wish.refused': 'what was asked for was refused at once',
  'epoch.entered': 'the group entered this epoch by the Commit of the actor',
  'backup.restored': 'the database was found to be older than what this server had sent',
  'group.removed': 'all admin servers said that the users of this server were removed while it had lost the group',
  'group.drifted': 'this server lost the state of the group and asks to be taken in again',
  'rejoin.asked': 'another server lost the state of the group and asks that the leaves of its users be replaced',
  'owner.taken-over': 'this server took the group over from an owner that fell silent; the actor thereby approved',
  'epoch.reverted': 'Commits lost to one of an admin who is listed earlier, and the group went back to this epoch',
  'group.reinitialised': 'the address belongs to the successor group that the actor made',
  'file-key.rotated': 'a file was encrypted under a new key, which goes to all groups that have access',
  'reshare.refused': 'a member server asked for somebody else to be given a share',
  'mail.refused': 'what another server sent for a group was refused',
  'key.made': 'a signing key was made; it is published, and takes over when others have read it',
  'key.took-over': 'a signing key took over from the one before, which stays published for a while',
  'key.replaced': 'a signing key was made in the stead of all of its kind, which count no more',
  'user.made': 'a user was made known, and can be invited',
  'user.renamed': 'a user got another name for people',
  'user.deactivated': 'a user can be invited no more, and is to leave all groups',
  'user.activated': 'a user who was not active can be invited again',
  'user.removed': 'a user is not known any more',
  'pairing.made': 'a protocol server was paired, and may ask about tokens',
  'pairing.ended': 'a protocol server may ask about tokens no more',
  'provider.asked': 'a provider that nobody knows here wants to federate, or is wanted, and waits for approval',
  'provider.approved': 'a provider was approved',
  'provider.refused': 'a provider was refused',
  'provider.forgotten': 'what was decided about a provider was taken back',
  'provider.quarantined': 'nothing goes to a provider or is taken from it until it is released',
  'provider.released': 'a provider was released from quarantine',
  'provider.set': 'compatibility or limits of a provider were set',
  'provider.rule-made': 'a pattern was put on the list of those who may or may not federate',
  'provider.rule-ended': 'a pattern was taken off that list',
  'provider.member-refused': 'a Commit of others brought a member whose server may not federate with this one',
  'webhook.made': 'events are sent to a webhook from now on',
  'webhook.secret-exchanged': 'a webhook was given another secret; the one before signs for a day more',
  'webhook.paused': 'a webhook is sent nothing until it is resumed',
  'webhook.resumed': 'a webhook is sent events again, from a place in the feed on',
  'webhook.stopped': 'this server gave a webhook up, for the reason that it says',
  'webhook.removed': 'a webhook was removed',
  'api-key.made': 'an API key was made',
  'api-key.revoked': 'an API key was revoked',
} as const satisfies Record<string, string>;
export type AuditAct = keyof typeof AUDIT_ACTS;

/** One act, as whoever carries it out tells it. Never a secret. */
export interface AuditEntry {
  readonly act: AuditAct;
  /** The person who did it, or the server. Nothing when nobody but the holder of the API key is known. */
  readonly actor?: OcmAddress | Host;
  /** Whom or what it was done to. */
  readonly subject?: string;
  readonly group?: { readonly mlsGroupId: MlsGroupId; readonly address: OcmAddress };
  /** Where the group stood; for `epoch.entered` the epoch that was entered. */
  readonly epoch?: Epoch;
  /** Of the Commit that did it. */
  readonly digest?: CommitDigest;
  /** Why it was refused. */
  readonly code?: FaultCode;
  readonly facts?: Readonly<Record<string, unknown>>;
}

export type Refusal = AuditEntry & Required<Pick<AuditEntry, 'actor' | 'code'>>;

/** An entry as it stands in the log. Numbers grow, with gaps. */
export interface AuditRecord {
  readonly number: number;
  readonly at: Date;
  readonly act: string;
  readonly actor: string | null;
  readonly subject: string | null;
  readonly group: string | null;
  readonly mlsGroupId: string | null;
  readonly epoch: number | null;
  readonly digest: string | null;
  readonly code: string | null;
  readonly facts: Readonly<Record<string, unknown>>;
  /** The name of the API key over which it was asked for. */
  readonly apiKey: string | null;
  /** The id of the request, by which the log of the process is searched. */
  readonly request: string | null;
}

/** One line of the export, with its line feed. What is not known is left out. */
export function exportLine({ facts, ...record }: AuditRecord): string {
  const known = Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
  return `${JSON.stringify(Object.keys(facts).length > 0 ? { ...known, facts } : known)}\n`;
}

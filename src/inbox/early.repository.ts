import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';

/** Mail of an epoch that its group has not reached here: kept as it came, read again when the time has come. */
@Entity('early_mail')
export class EarlyMailRow {
  @PrimaryColumn('text') digest!: string;
  @Column('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('bigint') epoch!: string;
  @Column('text') sender!: string;
  @Column('jsonb') body!: object;
  @Column('timestamptz', { name: 'received_at' }) receivedAt!: Date;
}

export interface EarlyMail {
  readonly digest: string;
  readonly mlsGroupId: MlsGroupId;
  /** The epoch that the group must have reached. */
  readonly epoch: Epoch;
  readonly sender: Host;
  /** The notification, parsed and checked when it came; it is parsed again. */
  readonly body: object;
}

/** A group that is behind by more has drifted. Counted by sender, so that none of them crowds the others out. */
const MOST_A_SENDER = 100;

@Injectable()
export class EarlyRepository {
  /**
   * The same mail again changes nothing. Throws `inbox.full`.
   * @param lossy what is oldest goes rather: the group is lost here and nobody knows which mail will count
   */
  async keep(tx: Tx, mail: Omit<EarlyMail, 'digest'>, at: Date, lossy = false): Promise<void> {
    const { mlsGroupId, sender, body } = mail;
    if ((await tx.countBy(EarlyMailRow, { mlsGroupId, sender })) >= MOST_A_SENDER) {
      if (!lossy) throw new Fault('inbox.full', { mlsGroupId });
      await this.forgetOldest(tx, mlsGroupId, sender);
    }
    const digest = createHash('sha256')
      .update(JSON.stringify([sender, body]))
      .digest('hex');
    await tx
      .createQueryBuilder()
      .insert()
      .into(EarlyMailRow)
      .values({ digest, mlsGroupId, epoch: String(mail.epoch), sender, body, receivedAt: at })
      .orIgnore()
      .execute();
  }

  /**
   * The earliest mail whose group has come to its epoch, but for that with these digests. A group that was left comes to
   * none, and a Welcome leads back into it from wherever it stands. One that was lost comes to none either, unless only the
   * Welcome of its epoch is missing.
   */
  async due(tx: Tx, except: readonly string[]): Promise<EarlyMail | undefined> {
    const [row] = (await tx.query(
      `SELECT e.digest, e.mls_group_id, e.epoch, e.sender, e.body FROM early_mail e
       JOIN federated_group g ON g.mls_group_id = e.mls_group_id
       LEFT JOIN group_drift d ON d.mls_group_id = e.mls_group_id
       WHERE CASE g.state
           WHEN 'drifted' THEN d.reason = 'leaves-replaced' AND e.epoch = g.epoch
             AND e.body->>'notificationType' = 'MLS_WELCOME'
           WHEN 'left' THEN e.epoch <= g.epoch OR e.body->>'notificationType' = 'MLS_WELCOME'
           ELSE e.epoch <= g.epoch END
         AND NOT e.digest = ANY ($1::text[]) ORDER BY e.epoch, e.received_at LIMIT 1`,
      [except],
    )) as { digest: string; mls_group_id: MlsGroupId; epoch: string; sender: Host; body: object }[];
    if (!row) return undefined;
    const { digest, mls_group_id: mlsGroupId, sender, body } = row;
    return { digest, mlsGroupId, epoch: epoch(Number(row.epoch)), sender, body };
  }

  async forget(tx: Tx, digest: string): Promise<void> {
    await tx.delete(EarlyMailRow, { digest });
  }

  private async forgetOldest(tx: Tx, mlsGroupId: MlsGroupId, sender: Host): Promise<void> {
    await tx.query(
      `DELETE FROM early_mail WHERE digest IN (SELECT digest FROM early_mail
         WHERE mls_group_id = $1 AND sender = $2 ORDER BY received_at LIMIT 1)`,
      [mlsGroupId, sender],
    );
  }

  /** Forgets what came before `before`, and Welcomes that came before `welcomes`; says of which groups it was. */
  async forgetOlder(tx: Tx, { before, welcomes }: { before: Date; welcomes: Date }): Promise<readonly string[]> {
    const [rows] = await tx.query<[{ mls_group_id: string }[], number]>(
      `DELETE FROM early_mail
       WHERE received_at < CASE body->>'notificationType' WHEN 'MLS_WELCOME' THEN $2::timestamptz ELSE $1::timestamptz END
       RETURNING mls_group_id`,
      [before, welcomes],
    );
    return [...new Set(rows.map((row) => row.mls_group_id))];
  }
}

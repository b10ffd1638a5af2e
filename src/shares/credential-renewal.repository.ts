import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Host, OcmAddress } from '../kernel/address.js';
import type { Tx } from '../platform/transaction.service.js';

/** A server that is to get another secret for a share: from `due_at` on, or under way in a message named `batch`. */
@Entity('credential_renewal')
export class CredentialRenewalRow {
  @PrimaryColumn('uuid', { name: 'share_id' }) shareId!: string;
  @PrimaryColumn('text') server!: Host;
  @Column('timestamptz', { name: 'due_at', nullable: true }) dueAt!: Date | null;
  @Column('uuid', { nullable: true }) batch!: string | null;
}

/** The secret of one server for one share, by the providerId that it knows the share by. */
export interface Renewal {
  readonly shareId: string;
  readonly providerId: string;
}

@Injectable()
export class CredentialRenewalRepository {
  /** What is under way already is said again. Returns the servers, of those that have accepted the share. */
  async request(tx: Tx, shareId: string, server: Host | undefined, at: Date): Promise<Host[]> {
    const rows = await tx.query<{ server: Host }[]>(
      `INSERT INTO credential_renewal (share_id, server, due_at)
       SELECT share_id, server, $3 FROM share_server
       WHERE share_id = $1 AND state = 'accepted' AND ($2::text IS NULL OR server = $2)
       ON CONFLICT (share_id, server) DO UPDATE SET due_at = excluded.due_at, batch = NULL RETURNING server`,
      [shareId, server ?? null, at],
    );
    return rows.map((row) => row.server).sort();
  }

  /** For everything that is shared with the group. Returns how many secrets that are. */
  async requestAll(tx: Tx, group: OcmAddress, servers: readonly Host[], at: Date): Promise<number> {
    const rows = await tx.query<unknown[]>(
      `INSERT INTO credential_renewal (share_id, server, due_at)
       SELECT t.share_id, t.server, $3 FROM share_server t JOIN share s USING (share_id)
       WHERE s.group_address = $1 AND s.ended_at IS NULL AND t.state = 'accepted' AND t.server = ANY ($2::text[])
       ON CONFLICT (share_id, server) DO UPDATE SET due_at = excluded.due_at, batch = NULL RETURNING 1`,
      [group, servers, at],
    );
    return rows.length;
  }

  /** The group and server that have waited longest. */
  async due(tx: Tx, at: Date): Promise<{ readonly group: OcmAddress; readonly server: Host } | undefined> {
    const [row] = await tx.query<{ group: OcmAddress; server: Host }[]>(
      `SELECT s.group_address AS "group", r.server FROM credential_renewal r JOIN share s USING (share_id)
       WHERE r.due_at <= $1 ORDER BY r.due_at, s.group_address, r.server LIMIT 1`,
      [at],
    );
    return row;
  }

  /** Until something can be sent in the group. */
  async putOff(tx: Tx, group: OcmAddress, until: Date): Promise<void> {
    await tx.query(
      `UPDATE credential_renewal SET due_at = $2
       WHERE due_at IS NOT NULL AND share_id IN (SELECT share_id FROM share WHERE group_address = $1)`,
      [group, until],
    );
  }

  /**
   * Takes what is due for one server of a group, at most that many, as one batch, and returns what of it can still be
   * renewed. The group is locked.
   */
  async take(
    tx: Tx,
    { group, server }: { readonly group: OcmAddress; readonly server: Host },
    batch: string,
    most: number,
  ): Promise<Renewal[]> {
    await tx.query(
      `UPDATE credential_renewal SET batch = $3, due_at = NULL WHERE server = $2 AND share_id = ANY (ARRAY(
         SELECT r.share_id FROM credential_renewal r JOIN share s USING (share_id)
         WHERE s.group_address = $1 AND r.server = $2 AND r.due_at IS NOT NULL
         ORDER BY r.share_id LIMIT $4 FOR UPDATE OF r))`,
      [group, server, batch, most],
    );
    return this.of(tx, batch);
  }

  /** What the batch still says something new about. */
  async of(tx: Tx, batch: string): Promise<Renewal[]> {
    return tx.query<Renewal[]>(
      `SELECT r.share_id AS "shareId", t.provider_id AS "providerId"
       FROM credential_renewal r JOIN share_server t USING (share_id, server) JOIN share s USING (share_id)
       WHERE r.batch = $1 AND t.state = 'accepted' AND s.ended_at IS NULL ORDER BY 1`,
      [batch],
    );
  }

  /** What was not taken is said in another batch. */
  async again(tx: Tx, batch: string, dueAt: Date): Promise<void> {
    await tx.update(CredentialRenewalRow, { batch }, { batch: null, dueAt });
  }

  async forget(tx: Tx, batch: string): Promise<void> {
    await tx.delete(CredentialRenewalRow, { batch });
  }
}

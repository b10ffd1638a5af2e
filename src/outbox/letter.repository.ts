import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Column, Entity, In, PrimaryColumn } from 'typeorm';
import type { Host } from '../kernel/address.js';
import { toHex, utf8 } from '../kernel/bytes.js';
import type { Tx } from '../platform/transaction.service.js';
import type { RowPurpose } from '../platform/sealed-column.js';
import { Vault } from '../platform/vault.service.js';
import { answerBody } from './answer.js';
import type { LaneKey } from './lane.repository.js';
import type {
  LaneHead,
  Letter,
  LetterCount,
  LetterFacts,
  LetterState,
  NewLetter,
  Outcome,
  TakenAnswer,
} from './letter.js';

@Entity('outbox_letter')
export class LetterRow {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') peer!: string;
  @Column('text') lane!: string;
  @Column('bigint') number!: string;
  /** Over all lanes; nobody asks for it any more. */
  @Column({ type: 'bigint', generated: 'identity', generatedIdentity: 'ALWAYS' }) serial!: string;
  @Column('text') endpoint!: NewLetter['endpoint'];
  @Column('text') kind!: string;
  @Column('text') subject!: string;
  @Column('bytea', { nullable: true, select: false }) body!: Uint8Array | null;
  @Column('text') digest!: string;
  @Column('integer') size!: number;
  @Column('text', { name: 'answer_to', nullable: true }) answerTo!: string | null;
  @Column('text') state!: LetterState;
  @Column('integer') tries!: number;
  @Column('timestamptz', { name: 'posted_at' }) postedAt!: Date;
  @Column('timestamptz', { name: 'tried_at', nullable: true }) triedAt!: Date | null;
  @Column('timestamptz', { name: 'ended_at', nullable: true }) endedAt!: Date | null;
  @Column('integer', { nullable: true }) status!: number | null;
  @Column('text', { nullable: true }) reason!: string | null;
  @Column('bytea', { nullable: true }) answer!: Uint8Array | null;
  @Column('timestamptz', { name: 'taken_at', nullable: true }) takenAt!: Date | null;
}

/** What letters are about. */
type Subject = Pick<NewLetter, 'lane' | 'kind' | 'subject'>;

const SHOWN = 500;
const ANSWERED = `answer_to = $1 AND taken_at IS NULL AND state <> 'waiting'`;
/** Bodies and answers may carry secrets, each is sealed for its own row. */

@Injectable()
export class LetterRepository {
  private readonly bodyOf: RowPurpose;
  private readonly answerOf: RowPurpose;

  constructor(private readonly vault: Vault) {
    this.bodyOf = vault.keep({ table: 'outbox_letter', column: 'body', row: ['id'] });
    this.answerOf = vault.keep({ table: 'outbox_letter', column: 'answer', row: ['id'] });
  }

  /** The body becomes bytes here, once. */
  async add(tx: Tx, id: string, number: number, letter: NewLetter, postedAt: Date): Promise<void> {
    const bytes = utf8(JSON.stringify(letter.body));
    const digest = toHex(createHash('sha256').update(bytes).digest());
    const sealed = Buffer.from(this.vault.seal(bytes, this.bodyOf(id)));
    const { to, lane, endpoint, kind, subject, answerTo = null } = letter;
    await tx.query(
      `INSERT INTO outbox_letter (id, peer, lane, number, endpoint, kind, subject, body, digest, size, answer_to, state,
         tries, posted_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'waiting', 0, $12)`,
      [id, to, lane, number, endpoint, kind, subject, sealed, digest, bytes.length, answerTo, postedAt],
    );
  }

  /** The first waiting letters of a lane in their order, up to a number and, but for the first, a sum of bytes. */
  async head(tx: Tx, { peer, lane }: LaneKey, most: number, mostBytes: number): Promise<Letter[]> {
    const rows = (await tx.query(
      `SELECT * FROM (
         SELECT id, number, endpoint, kind, subject, body, size, answer_to AS "answerTo", tries,
           sum(size) OVER (ORDER BY number) AS upto
         FROM outbox_letter WHERE peer = $1 AND lane = $2 AND state = 'waiting' ORDER BY number LIMIT $3) first
       WHERE upto - size < $4 ORDER BY number`,
      [peer, lane, most, mostBytes],
    )) as LetterRow[];
    return rows.map(({ id, endpoint, kind, subject, body, answerTo, tries }) => ({
      id,
      endpoint,
      kind,
      subject,
      tries,
      sealed: body!,
      ...(answerTo === null ? {} : { answerTo }),
    }));
  }

  /** The bytes to send. Throws `vault.sealed-otherwise`. */
  open({ id, sealed }: Letter): Uint8Array {
    return this.vault.open(sealed, this.bodyOf(id));
  }

  async waits(tx: Tx, { peer, lane }: LaneKey): Promise<boolean> {
    const rows = (await tx.query(
      `SELECT 1 FROM outbox_letter WHERE peer = $1 AND lane = $2 AND state = 'waiting' LIMIT 1`,
      [peer, lane],
    )) as unknown[];
    return rows.length > 0;
  }

  /** Stores what became of waiting letters. A body that is not needed any more goes. */
  async settle(tx: Tx, outcomes: readonly Outcome[]): Promise<void> {
    const column = <T>(pick: (outcome: Outcome) => T) => outcomes.map(pick);
    await tx.query(
      `UPDATE outbox_letter l SET state = v.state, tries = l.tries + 1, tried_at = v.at, status = v.status,
         reason = v.reason, answer = v.answer, taken_at = NULL,
         ended_at = CASE WHEN v.state = 'waiting' THEN NULL ELSE v.at END,
         body = CASE WHEN v.state IN ('waiting', 'dead') THEN l.body END
       FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::integer[], $5::text[], $6::bytea[])
         AS v (id, state, at, status, reason, answer)
       WHERE l.id = v.id AND l.state = 'waiting'`,
      [
        column(({ letterId }) => letterId),
        column(({ state }) => state),
        column(({ at }) => at),
        column(({ status }) => status ?? null),
        column(({ reason }) => reason ?? null),
        column(({ letterId, answer }) =>
          answer ? Buffer.from(this.vault.seal(answer, this.answerOf(letterId))) : null,
        ),
      ],
    );
  }

  /** Whether there is an answer that nobody took yet, though others may be taking it. */
  async hasAnswer(tx: Tx, answerTo: string): Promise<boolean> {
    const rows = await tx.query<unknown[]>(`SELECT 1 FROM outbox_letter WHERE ${ANSWERED} LIMIT 1`, [answerTo]);
    return rows.length > 0;
  }

  /** The oldest answer that nobody took yet, marked as taken. Answers that others are taking are passed over. */
  async takeAnswer(tx: Tx, answerTo: string, at: Date): Promise<TakenAnswer | undefined> {
    const [row] = (await tx.query(
      `SELECT id, subject, peer, state, status, answer FROM outbox_letter
       WHERE ${ANSWERED}
       ORDER BY ended_at, number LIMIT 1 FOR UPDATE SKIP LOCKED`,
      [answerTo],
    )) as LetterRow[];
    if (!row) return undefined;
    await tx.update(LetterRow, { id: row.id }, { takenAt: at });
    const { id, subject, peer, state, status } = row;
    const body = this.answer(row);
    return {
      letterId: id,
      subject,
      to: peer as Host,
      outcome: state as TakenAnswer['outcome'],
      ...(status === null ? {} : { status }),
      ...(body === undefined ? {} : { body }),
    };
  }

  /**
   * Dead letters of these lanes wait again. With `afresh` all their tries are before them; without it that is so for
   * those that died of silence, and the others have one.
   */
  async revive(tx: Tx, peer: Host, lanes: readonly string[], afresh: boolean): Promise<void> {
    await tx.query(
      `UPDATE outbox_letter SET state = 'waiting', ended_at = NULL, taken_at = NULL,
         tries = CASE WHEN $3 OR status IS NULL THEN 0 ELSE tries END
       WHERE peer = $1 AND lane = ANY ($2::text[]) AND state = 'dead'`,
      [peer, lanes, afresh],
    );
  }

  /**
   * Lanes whose dead letter deserves another try now that the peer was heard from: it died of silence, or its last try
   * is older than `before`. A letter that the peer keeps answering with trouble thus stays dead for people to see.
   */
  async revivable(tx: Tx, peer: Host, before: Date): Promise<string[]> {
    const rows = (await tx.query(
      `SELECT lane FROM outbox_letter
       WHERE peer = $1 AND state = 'dead' AND (status IS NULL OR tried_at <= $2)`,
      [peer, before],
    )) as { lane: string }[];
    return rows.map(({ lane }) => lane);
  }

  /** To whom letters of that lane about that subject are still to be delivered, in the order of their names. */
  async peersWaitingFor(tx: Tx, { lane, kind, subject }: Subject): Promise<Host[]> {
    const rows = (await tx.query(
      `SELECT DISTINCT peer FROM outbox_letter
       WHERE lane = $1 AND kind = $2 AND subject = $3 AND state IN ('waiting', 'dead') ORDER BY peer`,
      [lane, kind, subject],
    )) as { peer: Host }[];
    return rows.map(({ peer }) => peer);
  }

  /** Forgets those to one peer; its lane is locked. Says whether one of them was dead and had stopped the lane. */
  async withdraw(tx: Tx, peer: Host, { lane, kind, subject }: Subject): Promise<boolean> {
    const [rows] = (await tx.query(
      `DELETE FROM outbox_letter
       WHERE peer = $1 AND lane = $2 AND kind = $3 AND subject = $4 AND state IN ('waiting', 'dead') RETURNING state`,
      [peer, lane, kind, subject],
    )) as [{ state: LetterState }[], number];
    return rows.some(({ state }) => state === 'dead');
  }

  async find(tx: Tx, id: string): Promise<LetterFacts | undefined> {
    const row = await tx.findOneBy(LetterRow, { id });
    return row ? this.facts(row) : undefined;
  }

  /** Dead and refused letters, the last ones first. */
  async trouble(tx: Tx, peer: Host): Promise<LetterFacts[]> {
    const where = { peer, state: In(['dead', 'refused']) };
    const rows = await tx.find(LetterRow, { where, order: { endedAt: 'DESC', id: 'ASC' }, take: SHOWN });
    return rows.map((row) => this.facts(row));
  }

  /** How many letters are in which state, by peer, and when the oldest of them was posted; delivered ones left out. */
  counts(tx: Tx): Promise<LetterCount[]> {
    const count = (states: string) =>
      `SELECT peer, state, count(*)::integer AS letters, min(posted_at) AS oldest FROM outbox_letter
       WHERE state IN (${states}) GROUP BY peer, state`;
    // Each half has an index of its own.
    return tx.query(`${count(`'waiting'`)} UNION ALL ${count(`'dead', 'refused'`)}`);
  }

  /** The lanes of a peer that have something to send, with how much, and the letter they begin with. */
  async heads(tx: Tx, peer: Host): Promise<LaneHead[]> {
    const lanes = (await tx.query(
      `SELECT DISTINCT ON (lane) lane, id, count(*) OVER (PARTITION BY lane)::integer AS depth
       FROM outbox_letter WHERE peer = $1 AND state IN ('waiting', 'dead') ORDER BY lane, number LIMIT ${SHOWN}`,
      [peer],
    )) as { lane: string; id: string; depth: number }[];
    const rows = await tx.findBy(LetterRow, { id: In(lanes.map(({ id }) => id)) });
    const first = new Map(rows.map((row) => [row.id, this.facts(row)]));
    return lanes.map(({ lane, id, depth }) => ({ lane, depth, first: first.get(id)! }));
  }

  /** Forgets letters that ended before these times, unless their answer is still to be taken. Returns how many. */
  async prune(tx: Tx, deliveredBefore: Date, refusedBefore: Date, most: number): Promise<number> {
    const [, count] = (await tx.query(
      `DELETE FROM outbox_letter WHERE id = ANY (ARRAY(
         SELECT id FROM outbox_letter
         WHERE state IN ('delivered', 'refused') AND (ended_at <= $2 OR (ended_at <= $1 AND state = 'delivered'
           AND (answer_to IS NULL OR taken_at IS NOT NULL)))
         ORDER BY ended_at LIMIT $3 FOR UPDATE SKIP LOCKED))`,
      [deliveredBefore, refusedBefore, most],
    )) as [unknown, number];
    return count;
  }

  private facts(row: LetterRow): LetterFacts {
    const { id, lane, kind, subject, state, tries, postedAt, triedAt, status, reason } = row;
    const answer = this.answer(row);
    return {
      id,
      peer: row.peer as Host,
      lane,
      kind,
      subject,
      state,
      tries,
      postedAt,
      ...(triedAt === null ? {} : { triedAt }),
      ...(status === null ? {} : { status }),
      ...(reason === null ? {} : { reason }),
      ...(answer === undefined ? {} : { answer }),
    };
  }

  private answer({ id, answer }: Pick<LetterRow, 'id' | 'answer'>): unknown {
    return answer === null ? undefined : answerBody(this.vault.open(answer, this.answerOf(id)));
  }
}

import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Tx } from './transaction.service.js';

/** One row, once anything has left this server. */
@Entity('water_mark')
export class WaterMarkRow {
  @PrimaryColumn('boolean') only!: boolean;
  @Column('bigint') number!: string;
}

/**
 * How often something left this server: a row and no sequence, since a backup holds the rows of one moment and the
 * sequences of a later one.
 */
@Injectable()
export class WaterMarkRepository {
  /**
   * The next number. The row stays locked until the transaction ends, so that numbers become visible in their order: to be
   * asked for last of all.
   */
  async next(tx: Tx): Promise<number> {
    const [row] = await tx.query<{ number: string }[]>(
      `INSERT INTO water_mark ("only", number) VALUES (true, 1)
       ON CONFLICT ("only") DO UPDATE SET number = water_mark.number + 1 RETURNING number`,
    );
    return Number(row!.number);
  }

  /** 0 when nothing has left. */
  async last(tx: Tx): Promise<number> {
    const row = await tx.findOneBy(WaterMarkRow, { only: true });
    return Number(row?.number ?? 0);
  }

  async goOnFrom(tx: Tx, number: number): Promise<void> {
    await tx.query(
      `INSERT INTO water_mark ("only", number) VALUES (true, $1)
       ON CONFLICT ("only") DO UPDATE SET number = greatest(water_mark.number, excluded.number)`,
      [number],
    );
  }
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { utf8 } from '../kernel/bytes.js';
import { TransactionService } from './transaction.service.js';
import { Vault } from './vault.service.js';

/** One row, sealed by the first process that served this database. */
@Entity('vault_check')
export class VaultCheckRow {
  @PrimaryColumn('boolean') only!: boolean;
  @Column('bytea') sealed!: Buffer;
}

const PURPOSE = 'vault_check.sealed:only';

/** Refuses to start with a sealing key that is not the one of this database, before anything is sealed with it. */
@Injectable()
export class VaultCheck implements OnModuleInit {
  constructor(
    private readonly transactions: TransactionService,
    private readonly vault: Vault,
  ) {}

  /** Throws `vault.sealed-otherwise`. Of several processes that start at once the first one seals. */
  async onModuleInit(): Promise<void> {
    await this.transactions.run(async (tx) => {
      const fresh = Buffer.from(this.vault.seal(utf8('covey'), PURPOSE));
      await tx.query('INSERT INTO vault_check ("only", sealed) VALUES (true, $1) ON CONFLICT DO NOTHING', [fresh]);
      const { sealed } = await tx.findOneByOrFail(VaultCheckRow, { only: true });
      this.vault.open(sealed, PURPOSE);
      if (!this.vault.isCurrent(sealed)) await tx.update(VaultCheckRow, { only: true }, { sealed: fresh });
    });
  }
}

/** A column whose values the vault seals, each for its own row. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** What purposes call the column, when that is not its name. */
  readonly as?: string;
  /** The columns that name a row, in the order in which they stand in the purpose. */
  readonly row: readonly [string, ...string[]];
}

/** The same for one column, by what names the row. */
export type RowPurpose = (...row: readonly (string | number)[]) => string;

/** What a value is sealed for: its place, so that it cannot be moved to another. */
export const purposeOf = ({ table, column, as = column }: SealedColumn, ...row: readonly (string | number)[]): string =>
  [`${table}.${as}`, ...row].join(':');

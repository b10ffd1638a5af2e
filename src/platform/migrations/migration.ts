/** One step of the schema: hand-written SQL, forward only, never changed once it has been released. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  /**
   * In one transaction. Processes of the version before go on meanwhile and afterwards, so it adds: it takes nothing away
   * that they use, and demands nothing that they do not give.
   */
  readonly sql: string;
  /** The release since which no code uses what this step takes away. */
  readonly unusedSince?: string;
}

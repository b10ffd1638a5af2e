/** One step of the schema: hand-written SQL, forward only, never changed once it has been released. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

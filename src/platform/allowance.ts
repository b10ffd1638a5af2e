/** One each `everyMs`; up to `burst` at once after a while without any. */
export interface Allowance {
  readonly everyMs: number;
  readonly burst: number;
}

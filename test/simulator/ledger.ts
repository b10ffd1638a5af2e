/** Something that was asked of a group. Without an id nobody knows whether it was taken down: the server died over it. */
export interface Asked {
  readonly host: string;
  readonly group: string;
  readonly by: string;
  readonly kind: string;
  readonly who: string;
  readonly id: string | undefined;
}

export interface Shared {
  readonly host: string;
  readonly group: string;
  readonly by: string;
  readonly name: string;
  readonly id: string;
  /** `perhaps`: the server died over it. */
  unshared: 'no' | 'yes' | 'perhaps';
}

/** What people asked for, and what servers promised them. */
export class Ledger {
  readonly asked: Asked[] = [];
  readonly shared: Shared[] = [];
  /** Groups whose creation was answered with success. */
  readonly created: { readonly host: string; readonly address: string }[] = [];
  /** By the address of the group, whatever came of it. */
  readonly creators = new Map<string, string>();
  /** What no server may ever do, whatever happens around it: to fail inside. */
  readonly surprises: string[] = [];
  /** How much of everything there was. */
  readonly counts = new Map<string, number>();

  count(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }
}

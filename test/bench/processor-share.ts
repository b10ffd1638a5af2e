import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PERIOD = 20_000; // microseconds

/**
 * A control group of Linux that a process is put into, so that it gets no more than a share of one processor: with it a
 * machine of few processors can tell what the processes keep each other from, apart from the processors themselves. Needs
 * root, and control groups of either version.
 */
export class ProcessorShare {
  private constructor(private readonly folder: string) {}

  /** `share`: of one processor, 0.2 being a fifth of it. */
  static of(pid: number, share: number): ProcessorShare {
    const first = '/sys/fs/cgroup/cpu';
    const isFirst = existsSync(first);
    const folder = join(isFirst ? first : '/sys/fs/cgroup', `covey-bench-${pid}`);
    mkdirSync(folder);
    const quota = Math.round(share * PERIOD);
    if (isFirst) {
      writeFileSync(join(folder, 'cpu.cfs_period_us'), `${PERIOD}`);
      writeFileSync(join(folder, 'cpu.cfs_quota_us'), `${quota}`);
    } else {
      writeFileSync(join(folder, 'cpu.max'), `${quota} ${PERIOD}`);
    }
    writeFileSync(join(folder, 'cgroup.procs'), `${pid}`);
    return new ProcessorShare(folder);
  }

  /** Once its process has ended. */
  end(): void {
    rmdirSync(this.folder);
  }
}

// A provider of simulated nodes: machines that take time to start and to stop, and a register of them that survives
// the process that uses it.
import type { NodeProvider } from "../../controllers/clusterautoscaler/ports.ts";
import type { Clock } from "../../machinery/world.ts";

interface Machine {
  readonly isRemoving?: true;
  /** Stops it; undefined until it has started. */
  readonly stop?: () => void;
}
/** The machines that were added, by name, and those that were there before. */
export interface MachineRoom {
  readonly fixed: readonly string[];
  readonly added: Map<string, Machine>;
  readonly maxNodes: number;
  /** Starts the machine of a node; returns what stops it. */
  readonly start: (name: string) => () => void;
  /** Called before a machine is added, with the number there will be. */
  readonly adding?: (size: number) => void;
  /** Called when a machine is gone. */
  readonly removed?: (name: string) => void;
}

const bootMs = 3_000;
const haltMs = 2_000;

/** One process' access. What it has not done when the signal aborts, it leaves undone. */
export function simulatedNodes(room: MachineRoom, clock: Clock, signal?: AbortSignal): NodeProvider {
  const { fixed, added, maxNodes } = room;
  const boot = async (name: string): Promise<void> => {
    await clock.sleep(bootMs, signal);
    if (added.has(name)) added.set(name, { stop: room.start(name) });
  };
  const halt = async (name: string): Promise<void> => {
    const machine = added.get(name);
    added.set(name, { ...machine, isRemoving: true });
    await clock.sleep(haltMs, signal);
    machine?.stop?.();
    added.set(name, { isRemoving: true });
    await clock.sleep(haltMs, signal);
    added.delete(name);
    room.removed?.(name);
  };
  const nextNames = (count: number): readonly string[] => {
    const last = Math.max(...[...fixed, ...added.keys()].map((name) => Number(/\d+$/.exec(name)?.[0] ?? 0)));
    return Array.from({ length: count }, (_, i) => `node-${last + 1 + i}`);
  };
  return {
    list: async () => [
      ...fixed.map((name) => ({ name, added: false })),
      ...[...added.keys()].map((name) => ({ name, added: true })),
    ],
    async create(count) {
      const size = fixed.length + added.size + count;
      room.adding?.(size);
      if (size > maxNodes) throw new Error(`${size} nodes are more than ${maxNodes}`);
      const names = nextNames(count);
      for (const name of names) added.set(name, {});
      await Promise.all(names.map(boot));
      return names;
    },
    async remove(name) {
      if (fixed.includes(name)) throw new Error(`${name} was not added`);
      if (added.has(name)) await halt(name);
    },
    async recover() {
      for (const [name, { isRemoving, stop }] of [...added])
        if (isRemoving) await halt(name);
        else if (!stop) await boot(name);
    },
  };
}

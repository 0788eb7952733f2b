// The provider of simulated nodes fulfils the contract of providers.
import { simulatedNodes } from "../sim/node-provider.ts";
import { type VirtualClock, virtualClock } from "../sim/virtual-clock.ts";
import { nodeProviderSuite, type OpenProvider } from "./node-provider.ts";

const stepMs = 1_000;

/** Moves the clock until the work is done. */
async function driven<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = (): void => {
    isDone = true;
  };
  work.then(done, done);
  while (!isDone) await clock.run(clock.now() + stepMs);
  return work;
}

function open(): OpenProvider {
  const clock = virtualClock();
  const running = new Set<string>();
  const room = {
    ...{ fixed: ["node-0", "node-1"], added: new Map(), maxNodes: 5 },
    start(name: string) {
      running.add(name);
      return () => void running.delete(name);
    },
  };
  const own = simulatedNodes(room, clock);
  return {
    provider: {
      list: own.list,
      create: (count) => driven(clock, own.create(count)),
      remove: (name) => driven(clock, own.remove(name)),
      recover: () => driven(clock, own.recover()),
    },
    running: async () => [...running],
    async killedAfter(steps, work) {
      const life = new AbortController();
      const ended = work(simulatedNodes(room, clock, life.signal)).catch(() => {});
      await clock.run(clock.now() + steps * stepMs);
      life.abort(new Error("killed"));
      await ended;
    },
  };
}

nodeProviderSuite("simulated nodes", open, 6);

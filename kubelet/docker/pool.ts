// A pool of running sandboxes, so that the start of a pod does not wait for one. A pod takes a sandbox by renaming it;
// after a restart the names show which are in the pool.
import type Docker from "dockerode";
import type { ContainerInfo } from "dockerode";
import type { World } from "../../machinery/world.ts";
import { type Engine, poolOptions } from "./create-options.ts";
import { engineCall } from "./engine.ts";

interface SandboxPool {
  /** Takes a running sandbox under a new name and refills the pool; undefined when the pool is empty. */
  take(name: string, engine: Engine): Promise<string | undefined>;
  /** Fills the pool once nothing was taken from it for a while. */
  fillWhenQuiet(engine: Engine): Promise<void>;
}

const poolSize = 3;
/** Sandboxes are expensive to create, so the pool is filled while no pods start. */
const quietMs = 1_500;

/** The pool of one node. `listed` lists its sandboxes; `changed` is called after each renaming. */
export function sandboxPool(
  docker: Docker,
  world: World,
  listed: () => Promise<readonly ContainerInfo[]>,
  changed: (id: string) => void,
): SandboxPool {
  const ready: string[] = [];
  let filling = false;
  let lastUse = 0;

  const makeOne = async (engine: Engine): Promise<void> => {
    const suffix = Math.floor(world.random.next() * 2 ** 40).toString(36);
    const made = await engineCall(() => docker.createContainer(poolOptions(suffix, engine)));
    await engineCall(() => made!.start());
    ready.push(made!.id);
  };
  const find = async (): Promise<void> => {
    for (const c of await listed()) {
      if (c.State === "running") {
        if (!ready.includes(c.Id)) ready.push(c.Id);
      } else await engineCall(() => docker.getContainer(c.Id).remove({ force: true }), 404, 409);
    }
  };
  const fill = async (engine: Engine): Promise<void> => {
    if (filling || engine.capabilities.hostnameRuntime === undefined) return;
    filling = true;
    try {
      await find();
      while (ready.length < poolSize) await makeOne(engine);
    } finally {
      filling = false;
    }
  };
  const fillWhenQuiet = async (engine: Engine): Promise<void> => {
    const time = world.clock.now();
    lastUse = time;
    await world.clock.sleep(quietMs);
    if (lastUse === time) await fill(engine);
  };
  const renamedTo = async (id: string, name: string): Promise<boolean> => {
    const container = docker.getContainer(id);
    const renamed = await engineCall(() => container.rename({ name }).then(() => true), 404, 409);
    if (!renamed) return false;
    changed(id);
    if ((await engineCall(() => container.inspect(), 404))?.State.Running) return true;
    await engineCall(() => container.remove({ force: true }), 404, 409);
    return false;
  };
  return {
    fillWhenQuiet,
    async take(name, engine) {
      for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
        fillWhenQuiet(engine).catch((e: Error) => world.log("no sandbox made ahead", { error: e.message }));
        if (await renamedTo(id, name)) return id;
      }
      return undefined;
    },
  };
}

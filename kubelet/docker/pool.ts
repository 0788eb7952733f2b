// A few sandboxes made ahead, network and all, so that a pod's start does not wait for one. A sandbox is given away by
// renaming it; what has the pool's name is in the pool, after any restart too.
import type Docker from "dockerode";
import type { ContainerInfo } from "dockerode";
import type { World } from "../../machinery/world.ts";
import { type Engine, poolOptions } from "./create-options.ts";
import { ask } from "./engine-error.ts";

export interface SandboxPool {
  /** Gives away a running sandbox under its new name; undefined when none is at hand. Others follow in its place. */
  take(name: string, engine: Engine): Promise<string | undefined>;
  /** Makes the pool full as soon as a while has passed in which nobody took from it. */
  fillWhenQuiet(engine: Engine): Promise<void>;
}

const wanted = 3;
/** Making sandboxes costs what starting pods costs, and more than a node's own start: it waits for a quiet moment. */
const quietMs = 1_500;

/** The pool of one node. `listed` finds its sandboxes, `changed` is told of each that is renamed. */
export function sandboxPool(
  docker: Docker,
  world: World,
  listed: () => Promise<readonly ContainerInfo[]>,
  changed: (id: string) => void,
): SandboxPool {
  const ready: string[] = [];
  let filling = false;
  let lastAsked = 0;

  const makeOne = async (engine: Engine): Promise<void> => {
    const suffix = Math.floor(world.random.next() * 2 ** 40).toString(36);
    const made = await ask(() => docker.createContainer(poolOptions(suffix, engine)));
    await ask(() => made!.start());
    ready.push(made!.id);
  };
  const find = async (): Promise<void> => {
    for (const c of await listed()) {
      if (c.State === "running") {
        if (!ready.includes(c.Id)) ready.push(c.Id);
      } else await ask(() => docker.getContainer(c.Id).remove({ force: true }), 404, 409);
    }
  };
  const fill = async (engine: Engine): Promise<void> => {
    if (filling || engine.abilities.hostnameRuntime === undefined) return;
    filling = true;
    try {
      await find();
      while (ready.length < wanted) await makeOne(engine);
    } finally {
      filling = false;
    }
  };
  const fillWhenQuiet = async (engine: Engine): Promise<void> => {
    const mark = world.clock.now();
    lastAsked = mark;
    await world.clock.sleep(quietMs);
    if (lastAsked === mark) await fill(engine);
  };
  const given = async (id: string, name: string): Promise<boolean> => {
    const container = docker.getContainer(id);
    const renamed = await ask(() => container.rename({ name }).then(() => true), 404, 409);
    if (!renamed) return false;
    changed(id);
    if ((await ask(() => container.inspect(), 404))?.State.Running) return true;
    await ask(() => container.remove({ force: true }), 404, 409);
    return false;
  };
  return {
    fillWhenQuiet,
    async take(name, engine) {
      for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
        fillWhenQuiet(engine).catch((e: Error) => world.log("no sandbox made ahead", { error: e.message }));
        if (await given(id, name)) return id;
      }
      return undefined;
    },
  };
}

// The Docker runtime, tested with the runtime contract on this machine's engine.
import Docker from "dockerode";
import { afterAll, beforeAll } from "vitest";
import { ensureImages } from "../../cli/cluster/images.ts";
import { dockerRuntime } from "../../kubelet/docker/docker-runtime.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { runtimeSuite } from "../suites/runtime.ts";

const socket = "/var/run/docker.sock";
const nodeName = "orrery-runtime-suite";
const world = realWorld(() => {});

async function tidyUp(): Promise<void> {
  const docker = new Docker({ socketPath: socket });
  const filters = { label: [`orrery.dev/node=${nodeName}`] };
  for (const c of await docker.listContainers({ all: true, filters }))
    await docker.getContainer(c.Id).remove({ force: true });
}

beforeAll(async () => {
  await ensureImages(world.clock, () => {});
  await tidyUp();
});
afterAll(tidyUp);

runtimeSuite("docker", async () => ({
  runtime: dockerRuntime({ socket, nodeName, pauseImage: "orrery/pause:1" }, world),
  clock: world.clock,
  image: "orrery/busybox:1",
  live: (work) => work(),
  close: tidyUp,
}));

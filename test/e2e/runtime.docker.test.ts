// The Docker runtime, tested with the runtime contract on this machine's engine.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureImages } from "../../cli/cluster/images.ts";
import { dockerRuntime } from "../../kubelet/docker/docker-runtime.ts";
import { runProgram } from "../../machinery/run-program.ts";
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

test("an image is read-only in a folder where a kubelet that was killed had only begun to mount it", async () => {
  const runtime = dockerRuntime({ socket, nodeName, pauseImage: "orrery/pause:1" }, world);
  const [layer, folder] = [mkdtempSync(join(tmpdir(), "orrery-layer-")), mkdtempSync(join(tmpdir(), "orrery-image-"))];
  await runProgram("mount", ["--bind", layer, folder]);
  try {
    await runtime.mountImage("orrery/busybox:1", folder, new AbortController().signal);
    expect(() => writeFileSync(join(folder, "new"), "")).toThrow("EROFS");
    expect(existsSync(join(layer, "new"))).toBe(false);
  } finally {
    await runProgram("umount", [folder]);
    for (const path of [layer, folder]) rmSync(path, { recursive: true });
  }
});

runtimeSuite("docker", async () => ({
  runtime: dockerRuntime({ socket, nodeName, pauseImage: "orrery/pause:1" }, world),
  clock: world.clock,
  image: "orrery/busybox:1",
  live: (work) => work(),
  close: tidyUp,
}));

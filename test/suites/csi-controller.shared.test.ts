// The Controller service of the real shared driver, on a socket and over a temporary folder.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { runDriver } from "../../csi/driver/driver.ts";
import { sharedDriver } from "../../csi/driver/profile.ts";
import { controllerService } from "../../csi/protocol/controller.ts";
import { connectTo } from "../../csi/protocol/grpc.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { csiControllerSuite } from "./csi-controller.ts";

csiControllerSuite("the shared driver", async () => {
  const folder = await mkdtemp(join(tmpdir(), "csi-controller-"));
  const world = realWorld(() => {});
  const stop = new AbortController();
  const socketPath = join(folder, "csi.sock");
  const profile = sharedDriver;
  const options = { profile, node: "n1", root: join(folder, "volumes"), socketPath };
  const running = runDriver(options, world, stop.signal);
  const service = connectTo(socketPath, controllerService, world.clock);
  await vi.waitFor(() => service.call.ControllerGetCapabilities({}), { timeout: 10_000 });
  return {
    calls: service.call,
    async close() {
      service.close();
      stop.abort();
      await running;
      await rm(folder, { recursive: true, force: true });
    },
  };
});

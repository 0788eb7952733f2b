// A control plane in a process of its own, with the memory store and nodes that need no heartbeats: what `orrery server`
// runs. Its parent sends the name of the cluster over IPC and receives what a client needs.
import { readAccess } from "../../cli/client/access.ts";
import { startControlPlane } from "../../cli/control-plane.ts";
import { standalone } from "../../cli/standalone.ts";

const stop = new AbortController();
const hourMs = 3_600_000;

process.on("disconnect", () => process.exit());
process.on("message", async (message: { readonly name: string; readonly apiOnly: boolean }) => {
  const config = await standalone({ name: message.name, port: "0", store: "memory", metricsRetention: "0" });
  const settings = {
    ...config,
    // Room for 32,768 nodes; no address of it is used.
    podRange: "10.128.0.0/9" as typeof config.podRange,
    timings: { ...config.timings, nodeGraceMs: hourMs },
  };
  const { port } = await startControlPlane(settings, stop.signal, { apiOnly: message.apiOnly });
  const { ca, cert, key } = await readAccess(message.name);
  process.send?.({ url: `https://127.0.0.1:${port}`, ca, cert, key });
});

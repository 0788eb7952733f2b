// node device-driver.ts CONFIG: a driver for dynamic resources, run in a node's container. Publishes three devices, and
// has the kubelet set an environment variable in containers for each that they get.
import { hasReason } from "../../api/errors.ts";
import type { ResourceSlice } from "../../api/generated/types.ts";
import { type Draft, key } from "../../api/meta.ts";
import { resourceClaims } from "../../api/resource/resourceclaims.ts";
import { resourceSlices } from "../../api/resource/resourceslices.ts";
import { type AgentConfig, readConfig, readTls } from "../../cli/cluster/config.ts";
import { httpClient } from "../../machinery/http-client.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { deviceDriver, driverName } from "../suites/device-driver.ts";

const { nodeName, stateDir, server, pki } = readConfig<AgentConfig>(process.argv[2]!);
const world = realWorld(() => {});
const access = { url: server, userAgent: driverName, ...readTls(pki.ca, pki.client!) };
const client = httpClient(access, world, new AbortController().signal);

const device = (name: string, model: string, memory: string) => ({
  name,
  attributes: { model: { string: model } },
  capacity: { memory: { value: memory } },
});
const slice = {
  kind: "ResourceSlice",
  metadata: { name: `${nodeName}-${driverName}` },
  spec: {
    ...{ driver: driverName, nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 } },
    devices: [device("gpu-0", "large", "80Gi"), device("gpu-1", "small", "40Gi"), device("gpu-2", "large", "80Gi")],
  },
} as Draft<ResourceSlice>;

await deviceDriver({
  stateDir,
  cdiFolder: "/var/run/cdi",
  async claim(namespace, name) {
    const { metadata, status } = await client.get(resourceClaims, key(namespace, name));
    return { uid: metadata.uid, devices: status?.allocation?.devices?.results ?? [] };
  },
});
await client.create(resourceSlices, slice).catch((e: unknown) => {
  if (!hasReason(e, "AlreadyExists")) throw e;
});

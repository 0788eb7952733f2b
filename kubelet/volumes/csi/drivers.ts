// The CSI drivers that are registered with the kubelet.
import { type Caller, connectTo } from "../../../csi/protocol/grpc.ts";
import { type NodeCapability, nodeService } from "../../../csi/protocol/node.ts";
import type { World } from "../../../machinery/world.ts";
import { type PluginHandler, registrationTimeoutMs } from "../../plugins.ts";
import type { DriverOnNode } from "./csi-node.ts";

/** A driver that the kubelet can call. */
export interface CsiDriver {
  readonly name: string;
  readonly node: Caller<typeof nodeService>;
  readonly capabilities: ReadonlySet<NodeCapability>;
}
export interface CsiDrivers {
  get(name: string): CsiDriver | undefined;
  readonly register: PluginHandler;
}
interface DriverPorts {
  readonly world: World;
  /** Makes the driver known in the API. */
  readonly publish: (driver: DriverOnNode) => Promise<void>;
  readonly withdraw: (driver: string) => Promise<void>;
}

/** The drivers of a node. A driver that registers again replaces its former connection. */
export function csiDrivers({ world, publish, withdraw }: DriverPorts): CsiDrivers {
  const drivers = new Set<CsiDriver>();
  return {
    get: (name) => [...drivers].findLast((driver) => driver.name === name),
    async register({ name, endpoint, supportedVersions }) {
      if (!supportedVersions.some((version) => /^v?1\./.test(version)))
        throw new Error(`CSI driver ${name} supports none of the versions of CSI that the kubelet speaks: 1.x`);
      const remote = connectTo(endpoint, nodeService, world.clock);
      const options = { timeoutMs: registrationTimeoutMs };
      try {
        const { capabilities } = await remote.call.NodeGetCapabilities({}, options);
        const types = capabilities.flatMap(({ rpc }) => (rpc ? [rpc.type] : []));
        await publish({ name, ...(await remote.call.NodeGetInfo({}, options)) });
        const driver: CsiDriver = { name, node: remote.call, capabilities: new Set(types) };
        drivers.add(driver);
        return {
          withdraw: () => withdraw(name),
          close() {
            drivers.delete(driver);
            remote.close();
          },
        };
      } catch (e) {
        remote.close();
        throw e;
      }
    },
  };
}

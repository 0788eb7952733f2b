// The drivers for dynamic resources that are registered with the kubelet.
import { type Caller, connectTo } from "../../csi/protocol/grpc.ts";
import type { World } from "../../machinery/world.ts";
import type { PluginHandler } from "../plugins.ts";
import { type DeviceService, deviceServices } from "./protocol.ts";

export interface DeviceDriver {
  readonly name: string;
  readonly call: Caller<DeviceService>;
}
export interface DeviceDrivers {
  /** Throws when no driver of this name is registered. */
  get(name: string): DeviceDriver;
  has(name: string): boolean;
  readonly register: PluginHandler;
}

/** The drivers of a node: of two instances the later one. `withdrawn` is called when an instance is gone. */
export function deviceDrivers({ clock }: World, withdrawn: () => void): DeviceDrivers {
  const drivers = new Set<DeviceDriver>();
  const find = (name: string): DeviceDriver | undefined => [...drivers].findLast((driver) => driver.name === name);
  return {
    has: (name) => find(name) !== undefined,
    get(name) {
      const driver = find(name);
      if (!driver) throw new Error(`DRA driver ${name} is not registered`);
      return driver;
    },
    async register({ name, endpoint, supportedVersions }) {
      const [, best] = Object.entries(deviceServices).find(([version]) => supportedVersions.includes(version)) ?? [];
      if (!best)
        throw new Error(
          `invalid supported gRPC versions of DRA driver plugin ${name} at endpoint ${endpoint}: none of the supported gRPC services found: ${Object.keys(deviceServices).join(", ")}`,
        );
      const remote = connectTo(endpoint, best, clock);
      const driver: DeviceDriver = { name, call: remote.call };
      drivers.add(driver);
      return {
        async withdraw() {
          drivers.delete(driver);
          if (!find(name)) withdrawn();
        },
        close() {
          drivers.delete(driver);
          remote.close();
        },
      };
    },
  };
}

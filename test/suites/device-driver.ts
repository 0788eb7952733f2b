// A driver for dynamic resources that registers with a kubelet: its devices set an environment variable through CDI.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { implement, type Listening, listen } from "../../csi/protocol/grpc.ts";
import { registrationService } from "../../csi/protocol/registration.ts";
import { deviceServices } from "../../kubelet/devices/protocol.ts";

export const driverName = "test-driver.example.com";
type Version = keyof typeof deviceServices;

/** What the driver is asked to prepare a claim with; the devices come from the claim's allocation. */
export interface AllocatedClaim {
  readonly uid: string;
  readonly devices: readonly { readonly request: string; readonly pool: string; readonly device: string }[];
}
export interface DeviceDriverProcess {
  /** The calls that were made, as `prepare <claim>`. */
  readonly calls: readonly string[];
  /** Every call fails with this until it is set to nothing. */
  failWith(message: string | undefined): void;
  stop(): void;
  start(): Promise<void>;
}
interface Setup {
  /** The kubelet's folder. */
  readonly stateDir: string;
  readonly cdiFolder: string;
  /** Reads the claim from the API, as drivers do. */
  readonly claim: (namespace: string, name: string) => Promise<AllocatedClaim>;
  /** Further edits of each container. */
  readonly edits?: object;
  readonly version?: Version;
}

/** The name by which the specification lists a device of a claim. */
const cdiName = (uid: string, device: string): string => `${uid}-${device}`;

function writeSpecification({ cdiFolder, edits = {} }: Setup, { uid, devices }: AllocatedClaim): void {
  const specification = {
    cdiVersion: "0.6.0",
    kind: `${driverName}/gpu`,
    devices: devices.map(({ device, request }) => ({
      name: cdiName(uid, device),
      containerEdits: { env: [`DEVICE_${request}=${device}`], ...edits },
    })),
  };
  mkdirSync(cdiFolder, { recursive: true });
  writeFileSync(join(cdiFolder, `${driverName}-${uid}.json`), JSON.stringify(specification));
}

/** A driver beside a kubelet. It is started. */
export async function deviceDriver(setup: Setup): Promise<DeviceDriverProcess> {
  const { stateDir, cdiFolder, claim, version = "v1.DRAPlugin" } = setup;
  const endpoint = join(stateDir, "plugins", driverName, "dra.sock");
  const registrationPath = join(stateDir, "plugins_registry", `${driverName}-reg.sock`);
  const calls: string[] = [];
  let failure: string | undefined;
  const prepared = async (namespace: string, name: string) => {
    calls.push(`prepare ${name}`);
    if (failure !== undefined) return { error: failure };
    const allocated = await claim(namespace, name);
    writeSpecification(setup, allocated);
    return {
      devices: allocated.devices.map(({ request, pool, device }) => ({
        ...{ requestNames: [request], poolName: pool, deviceName: device },
        cdiDeviceIds: [`${driverName}/gpu=${cdiName(allocated.uid, device)}`],
      })),
    };
  };
  const unprepared = async (uid: string, name: string) => {
    calls.push(`unprepare ${name}`);
    if (failure !== undefined) return { error: failure };
    rmSync(join(cdiFolder, `${driverName}-${uid}.json`), { force: true });
    return {};
  };
  const service = implement(deviceServices[version], {
    NodePrepareResources: async ({ claims }) => ({
      claims: Object.fromEntries(
        await Promise.all(claims.map(async (c) => [c.uid, await prepared(c.namespace, c.name)] as const)),
      ),
    }),
    NodeUnprepareResources: async ({ claims }) => ({
      claims: Object.fromEntries(
        await Promise.all(claims.map(async (c) => [c.uid, await unprepared(c.uid, c.name)] as const)),
      ),
    }),
  });
  const registration = implement(registrationService, {
    GetInfo: async () => ({ type: "DRAPlugin", name: driverName, endpoint, supportedVersions: [version] }),
    NotifyRegistrationStatus: async () => ({}),
  });
  let listening: readonly Listening[] = [];
  const start = async (): Promise<void> => {
    for (const path of [endpoint, registrationPath]) {
      mkdirSync(dirname(path), { recursive: true });
      rmSync(path, { force: true });
    }
    listening = [await listen(endpoint, [service]), await listen(registrationPath, [registration])];
  };
  await start();
  return {
    calls,
    failWith: (message) => {
      failure = message;
    },
    stop() {
      for (const server of listening) server.close();
    },
    start,
  };
}

// A CSI driver for tables of the controllers beside it, and what decisions with calls of it lead to.
import type { VolumeAttachment } from "../../../api/generated/types.ts";
import type { DriverCalls, DriverOptions } from "../../../controllers/csi/sidecar.ts";
import type { ControllerCapability } from "../../../csi/protocol/controller.ts";
import { RpcError, type RpcCode } from "../../../csi/protocol/grpc.ts";
import type { Action } from "../../../machinery/action.ts";
import type { Decision } from "../../../machinery/controller.ts";
import { asStored } from "./world.ts";

export const driver = "local.csi.orrery.dev";
interface Call {
  readonly method: string;
  readonly request: object;
}
/** A driver with one response for every call, and the calls it got. */
export function driverThat(response: object | RpcCode, more: Partial<DriverOptions> = {}) {
  const calls: Call[] = [];
  const get = (_: object, method: string) => async (request: object) => {
    calls.push({ method, request });
    if (typeof response === "string") throw new RpcError(response as RpcCode, "no");
    return response;
  };
  const capabilities: ReadonlySet<ControllerCapability> = new Set([
    "CREATE_DELETE_VOLUME",
    "EXPAND_VOLUME",
    "PUBLISH_UNPUBLISH_VOLUME",
    "SINGLE_NODE_MULTI_WRITER",
    "MODIFY_VOLUME",
  ]);
  const options: DriverOptions = {
    driver,
    calls: new Proxy({} as DriverCalls, { get: get as ProxyHandler<DriverCalls>["get"] & object }),
    capabilities,
    ...more,
  };
  return { options, calls };
}

const summary = (actions: readonly Action[]): readonly string[] =>
  actions.map((a) => (a.do === "event" ? `${a.type} ${a.reason}: ${a.message}` : a.do));
/** The actions of a decision and of what follows from its calls. */
export async function outcome(decision: Decision): Promise<readonly string[]> {
  const after = decision.effect ? await outcome(await decision.effect.run()) : [];
  return [...summary(decision.actions), ...after, ...(decision.failure === undefined ? [] : ["retry"])];
}

export const node = { name: "n1", segments: { zone: "z1" } };

/** The source of a volume of the driver. */
export const csi = { csi: { driver, volumeHandle: "id" }, hostPath: undefined };
/** An attachment of the volume `pv` to the node `n1`. */
export const attachment = (more: object = {}, status: object = { attached: false }) =>
  asStored<VolumeAttachment>({
    kind: "VolumeAttachment",
    metadata: {
      name: "a",
      annotations: { "csi.alpha.kubernetes.io/node-id": "node-1", "orrery.dev/volume-handle": "id" },
      finalizers: ["external-attacher/local-csi-orrery-dev"],
      ...more,
    },
    spec: { attacher: driver, nodeName: "n1", source: { persistentVolumeName: "pv" } },
    status,
  });

// What the controllers beside a CSI driver know of it, and how they call it.
import type { ControllerCapability, controllerService } from "../../csi/protocol/controller.ts";
import type { Caller, RpcCode } from "../../csi/protocol/grpc.ts";
import { RpcError, rpcMessage } from "../../csi/protocol/grpc.ts";
import type { Decision, Effect } from "../../machinery/controller.ts";

export type DriverCalls = Caller<typeof controllerService>;

/** The driver beside which controllers run. */
export interface DriverOptions {
  readonly driver: string;
  readonly calls: DriverCalls;
  readonly capabilities: ReadonlySet<ControllerCapability>;
  /** Set where the driver serves only volumes of its own node, as it is then run on every node. */
  readonly node?: DriverNode;
}
export interface DriverNode {
  readonly name: string;
  /** The labels of the node by which its volumes can be reached. */
  readonly segments: Readonly<Record<string, string>>;
}

/** Why a call failed. After a final error the driver has done nothing and does nothing more. */
export interface CallError {
  readonly message: string;
  readonly code: RpcCode;
  readonly isFinal: boolean;
}

/** After these errors the driver may still be at work. */
const uncertain: readonly RpcCode[] = ["CANCELLED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "ABORTED"];

function callError(error: unknown): CallError {
  const code = error instanceof RpcError ? error.code : "UNKNOWN";
  return { message: rpcMessage(error), code, isFinal: error instanceof RpcError && !uncertain.includes(code) };
}

interface Outcomes<R> {
  readonly succeeded: (response: R) => Decision;
  readonly failed: (error: CallError) => Decision;
}

/** A call of the driver, and what follows from its result. */
export const callOf = <R>(method: string, call: () => Promise<R>, { succeeded, failed }: Outcomes<R>): Effect => ({
  description: `call ${method}`,
  async run() {
    let response: R;
    try {
      response = await call();
    } catch (error) {
      return failed(callError(error));
    }
    return succeeded(response);
  },
});

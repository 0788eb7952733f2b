// Errors of drivers in the words of Kubernetes' messages.
import { RpcError } from "../../../csi/protocol/grpc.ts";

/** An error as gRPC's clients in Go write it. Pure. */
export function rpcMessage(e: unknown): string {
  if (!(e instanceof RpcError)) return e instanceof Error ? e.message : String(e);
  const code = e.code.split("_").map((word) => word[0] + word.slice(1).toLowerCase());
  return `rpc error: code = ${code.join("")} desc = ${e.message}`;
}

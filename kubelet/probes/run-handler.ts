// Runs the handler of one probe or lifecycle hook against a container.
import type { Container, LifecycleHandler, Probe } from "../../api/generated/types.ts";
import type { World } from "../../machinery/world.ts";
import type { ContainerRuntime } from "../runtime.ts";
import { probeGrpc } from "./grpc-health.ts";
import { failure, type HandlerOutcome, portNumber, probeHttp, probeTcp, success } from "./handlers.ts";

/** The container a handler runs against. */
export interface Target {
  readonly id: string;
  readonly container: Container;
  readonly podIp: string;
}

async function runCommand(
  runtime: ContainerRuntime,
  t: Target,
  command: readonly string[],
  limit: { readonly ms: number; readonly signal: AbortSignal },
): Promise<HandlerOutcome> {
  const { exitCode, output, timedOut } = await runtime.run(t.id, command, limit.ms, limit.signal);
  if (timedOut) return failure(`command timed out: "${command.join(" ")}" timed out after ${limit.ms / 1_000}s`);
  return exitCode === 0 ? success : failure(output.trimEnd());
}

/** Runs the handler for at most `limit.ms` milliseconds. */
export async function runHandler(
  { runtime, world: { clock } }: { readonly runtime: ContainerRuntime; readonly world: World },
  t: Target,
  handler: Probe | LifecycleHandler,
  limit: { readonly ms: number; readonly signal: AbortSignal },
): Promise<HandlerOutcome> {
  if (handler.exec) return runCommand(runtime, t, handler.exec.command ?? [], limit);
  const action = handler.httpGet ?? handler.tcpSocket;
  if (action) {
    const port = portNumber(action.port, t.container);
    if (port === undefined) return failure(`couldn't find port: ${action.port}`);
    const host = action.host || t.podIp;
    return handler.httpGet ? probeHttp(host, port, handler.httpGet, limit.ms) : probeTcp(host, port, limit.ms);
  }
  const { grpc } = handler as Probe;
  return grpc ? probeGrpc(t.podIp, grpc.port, grpc.service ?? "", clock.sleep(limit.ms, limit.signal)) : success;
}
